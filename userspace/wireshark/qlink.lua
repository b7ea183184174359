-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark's dissector of sealed frames, as kmod/PROTOCOL.md has them: over Ethernet and over UDP, all types.
--
-- With test keys it opens them. It judges each frame as section 3 of that document has the receiver do it. What depends
-- on the receiver, which of its links or keys there are, it cannot know. It needs Lua 5.3, as Wireshark 4.4 and later have it.

local fields = require("qlink_fields")
local gcm = require("qlink_gcm")
local history = require("qlink_history")
local keys = require("qlink_keys")
local parcel = require("qlink_parcel")

local HEADER_BYTES, TAG_BYTES, ETHERNET_BYTES, CHECKSUM_BYTES, KEEPALIVE_BYTES = 16, 16, 14, 4, 24
local FRAME, KEEPALIVE, CHECKSUM, PARCEL = 0, 1, 2, 3
local LEAST_PLAIN = { [FRAME] = ETHERNET_BYTES, KEEPALIVE_BYTES, CHECKSUM_BYTES + ETHERNET_BYTES, ETHERNET_BYTES }
local TYPE_OF_KIND = { [0] = FRAME, CHECKSUM, KEEPALIVE }

local of_header, of_keepalive, of_checksum = fields.of_header, fields.of_keepalive, fields.of_checksum
local of_parcel, experts = fields.of_parcel, fields.experts
local ethernet = Dissector.get("eth_withoutfcs")
local ip_fragments, ip6_fragments = Field.new("ip.fragment.count"), Field.new("ipv6.fragment.count")

local proto = Proto("qlink", "qlink sealed frame")
local test_keys, keys_fault = {}, nil

proto.fields = fields.all()
proto.experts = fields.experts

-- ---- what all parts use ----

-- generated(tree, field, range, value): adds what is not in the bytes.
local function generated(tree, field, range, value)
	local item = tree:add(field, range, value)

	item:set_generated()
	return item
end

-- say(tree, which, text, range, counter): adds an expert item, and the counter that a receiver moves.
local function say(tree, which, text, range, counter)
	tree:add_proto_expert_info(which, text)
	if counter then
		generated(tree, of_header.counter, range, counter)
	end
end

-- call_ethernet(view, tvb): dissects an inner frame. Where that raises an error, Wireshark has said what is wrong.
local function call_ethernet(view, tvb)
	if not view.has_inner then
		-- What the inner protocols say comes behind this.
		view.pinfo.cols.info:append(" | ")
		view.pinfo.cols.info:fence()
		view.has_inner = true
	end
	pcall(ethernet.call, ethernet, tvb, view.pinfo, view.tree)
end

-- ---- the plaintext of each type ----

-- show_inner(view, text, range, tree): an inner frame.
local function show_inner(view, text, range, tree)
	if #text < ETHERNET_BYTES then
		say(tree, experts.short, ("length %d: an inner frame has at least %d bytes"):format(#text, ETHERNET_BYTES), range, "rx_short")
		return
	end
	call_ethernet(view, range:tvb())
end

-- finish(inner, start, offset): the inner frame with its checksum finished, and the checksum.
local function finish(inner, start, offset)
	local sum, field = 0, start + offset
	local summed = inner:sub(start + 1) .. ("\0"):rep((#inner - start) % 2)

	for at = 1, #summed, 2 do
		sum = sum + string.unpack(">I2", summed, at)
	end
	while sum > 0xffff do
		sum = (sum & 0xffff) + (sum >> 16)
	end
	-- 0 would mean "none" in UDP.
	local value = sum == 0xffff and 0xffff or ~sum & 0xffff

	return inner:sub(1, field) .. string.pack(">I2", value) .. inner:sub(field + 3), value
end

-- show_checksum(view, text, range, tree): checksum state and an inner frame.
local function show_checksum(view, text, range, tree)
	if #text < CHECKSUM_BYTES + ETHERNET_BYTES then
		say(tree, experts.short, ("length %d: checksum state and an inner frame have at least %d bytes"):format(#text,
			CHECKSUM_BYTES + ETHERNET_BYTES), range, "rx_short")
		return
	end
	local start, offset = string.unpack(">I2I2", text)
	local inner = text:sub(CHECKSUM_BYTES + 1)

	tree:add(of_checksum.start, range(0, 2))
	tree:add(of_checksum.offset, range(2, 2))
	if start < ETHERNET_BYTES or start + offset + 2 > #inner then
		say(tree, experts.inner, ("checksum field at %d + %d: must be behind the Ethernet header, and end by byte %d"):format(start,
			offset, #inner), range, "rx_bad_inner")
		return
	end
	local finished, value = finish(inner, start, offset)

	generated(tree, of_checksum.finished, range(CHECKSUM_BYTES + start + offset, 2), value)
	call_ethernet(view, ByteArray.new(finished, true):tvb("Inner frame, checksum finished"))
end

-- show_keepalive(view, text, range, tree): a keepalive or a beacon.
local function show_keepalive(view, text, range, tree)
	local stamp, echo, epoch, interval = string.unpack(">i8i8I6I2", text)
	local is_beacon = interval == 0

	generated(tree, of_header.counter, range, "rx_keepalive")
	tree:add(of_keepalive.stamp, range(0, 8))
	tree:add(of_keepalive.echo, range(8, 8))
	tree:add(of_keepalive.epoch, range(16, 6))
	tree:add(of_keepalive.interval, range(22, 2))
	generated(tree, of_keepalive.beacon, range(22, 2), is_beacon)
	if stamp == 0 then
		say(tree, experts.keepalive, "stamp 0: must not be 0")
	elseif is_beacon and (echo ~= 0 or epoch ~= 0) then
		say(tree, experts.keepalive, "interval 0, a beacon: echo and epoch must be 0 too")
	elseif not is_beacon then
		local frame = history.echo(view.place, view.header, stamp, echo)

		if frame and echo ~= 0 then
			generated(tree, of_keepalive.echo_of, range(8, 8), frame)
		end
	end
	if is_beacon then
		tree:append_text(", beacon")
	end
end

local SHOW = { [FRAME] = show_inner, show_keepalive, show_checksum }

-- ---- parcels ----

local EXPERT_OF_COUNTER = { rx_parcel_bad = experts.parcel, rx_cut_lost = experts.cut_lost, rx_cut_late = experts.cut_late }

-- show_rest(view, taken, plain, tree): what begins a parcel that goes on with a record.
local function show_rest(view, taken, plain, tree)
	local length = math.min(taken.first, plain:len() - 2)
	local item = tree:add(of_parcel.rest, plain(2, length))
	local rest = taken.rest

	if not rest then
		return
	end
	for _, frame in ipairs(rest.frames) do
		if frame ~= view.place.frame then
			generated(item, of_parcel.part, plain(2, length), frame)
		end
	end
	item:set_text(("Rest of a record: %s, %d of %d bytes so far"):format(fields.KINDS[rest.kind], #rest.content, rest.length))
	if #rest.content == rest.length then
		local range = ByteArray.new(rest.content, true):tvb("Record put together"):range()

		item:add(of_parcel.content, range):set_generated()
		SHOW[TYPE_OF_KIND[rest.kind]](view, rest.content, range, item)
	end
end

-- show_record(view, record, plain, tree): a record that begins in the parcel.
local function show_record(view, record, plain, tree)
	local item = tree:add(of_parcel.record, plain(record.at, 2 + #record.content))

	item:append_text((": %s, %d bytes"):format(fields.KINDS[record.kind], record.length))
	item:add(of_parcel.kind, plain(record.at, 2))
	item:add(of_parcel.length, plain(record.at, 2))
	if record.is_whole then
		item:add(of_parcel.content, plain(record.at + 2, record.length))
		SHOW[TYPE_OF_KIND[record.kind]](view, record.content, plain(record.at + 2, record.length), item)
	else
		generated(item, of_parcel.cut, plain(record.at, 2), record.length - #record.content)
	end
end

-- show_parcel(view, text, range, tree): all that is in one.
local function show_parcel(view, text, range, tree)
	local taken = history.parcel(view.place, function(begin)
		return parcel.take(begin, { epoch = view.header.epoch, sequence = view.header.sequence, frame = view.place.frame }, text,
			view.pinfo.rel_ts)
	end)

	generated(tree, of_header.counter, range(0, 2), "rx_parcels")
	tree:add(of_parcel.first, range(0, 2))
	for _, said in ipairs(taken.said) do
		say(tree, EXPERT_OF_COUNTER[said.counter], said.text, range(0, 2), said.counter)
	end
	if taken.first > 0 and range:len() > 2 then
		show_rest(view, taken, range, tree)
	end
	for _, record in ipairs(taken.records) do
		show_record(view, record, range, tree)
	end
	if taken.padding and taken.padding.length > 0 then
		tree:add(of_parcel.padding, range(taken.padding.at, taken.padding.length), taken.padding.length)
	end
end

SHOW[PARCEL] = show_parcel

-- ---- opening ----

-- nonce_of(salt, header): salt XOR (low 40 bits of the epoch || lane || sequence).
local function nonce_of(salt, header)
	local high, middle, low = string.unpack(">I4I4I4", salt)
	local epoch = header.epoch & 0xffffffffff

	return string.pack(">I4I4I4", high ~ epoch >> 8, middle ~ ((epoch & 255) << 24 | header.lane << 16 | header.sequence >> 32),
		low ~ header.sequence & 0xffffffff)
end

-- unseal(view, bytes): the plaintext and the nonce, or nil; and how many keys were tried.
local function unseal(view, bytes)
	local header = view.header
	local fitting = keys.find(test_keys, header.link_id, header.epoch, { view.pinfo.net_src, view.pinfo.dl_src })

	for _, key in ipairs(fitting) do
		local nonce = nonce_of(key.salt, header)
		local text = gcm.open(key.cipher, nonce, bytes:sub(1, HEADER_BYTES), bytes:sub(HEADER_BYTES + 1, -TAG_BYTES - 1),
			bytes:sub(-TAG_BYTES))

		if text then
			return text, nonce, #fitting
		end
	end
	return nil, nil, #fitting
end

-- show_status(view, text, nonce, tries): whether the tag is good.
local function show_status(view, text, nonce, tries)
	local tag = view.tvb(view.tvb:len() - TAG_BYTES, TAG_BYTES)
	local status = text and fields.GOOD or tries > 0 and fields.BAD or fields.NOT_CHECKED

	generated(view.item, of_header.tag_status, tag, status)
	if nonce then
		-- A range of as many bytes as the value has.
		view.item:add(of_header.nonce, view.tvb(4, #nonce), nonce):set_generated()
	end
	if status == fields.BAD then
		say(view.item, experts.tag, ("tag: no key that is given for link %d, epoch %d and this sender opens the frame"):format(
			view.header.link_id, view.header.epoch), tag, "rx_auth_error")
	elseif status == fields.NOT_CHECKED and #test_keys > 0 then
		say(view.item, experts.no_key, ("no key is given for link %d, epoch %d and this sender"):format(view.header.link_id,
			view.header.epoch))
	end
	return status
end

-- show_sequence(view): what the frames before it say.
local function show_sequence(view)
	local known, range = history.sequence(view.place, view.header), view.tvb(10, 6)

	if known.duplicate then
		generated(view.item, of_header.duplicate, range, known.duplicate)
		say(view.item, experts.duplicate, ("epoch, lane and sequence are those of frame %d"):format(known.duplicate), range,
			"rx_replay")
	elseif known.is_late then
		say(view.item, experts.late, "sequence is 4096 or more behind the highest of its lane", range, "rx_old")
	elseif known.missing > 0 then
		generated(view.item, of_header.missing, range, UInt64(known.missing & 0xffffffff, known.missing >> 32))
	end
	return not known.duplicate and not known.is_late
end

-- open(view, bytes): what keys that are given show.
local function open(view, bytes)
	local text, nonce, tries = unseal(view, bytes)
	local status = show_status(view, text, nonce, tries)

	if status == fields.BAD then
		return
	end
	local is_new = show_sequence(view)

	if not text then
		return
	end
	local tvb = ByteArray.new(text, true):tvb("Opened qlink frame")
	local item = view.item:add(of_header.plaintext, tvb:range())

	-- What a receiver refuses changes nothing, so that it must not change what is known of a lane.
	if is_new or view.header.type ~= PARCEL then
		SHOW[view.header.type](view, text, tvb:range(), item)
	end
end

-- ---- the header ----

-- show_header(tvb, item): adds the fields of 16 bytes.
local function show_header(tvb, item)
	item:add(of_header.version, tvb(0, 1))
	item:add(of_header.type, tvb(0, 1))
	item:add(of_header.lane, tvb(1, 1))
	item:add(of_header.link_id, tvb(2, 2))
	item:add(of_header.epoch, tvb(4, 6))
	item:add(of_header.sequence, tvb(10, 6))
end

-- header_of(bytes): what the first 16 bytes say.
local function header_of(bytes)
	local first, lane, link_id, epoch, sequence = string.unpack(">BBI2I6I6", bytes)

	return { version = first >> 4, type = first & 15, lane = lane, link_id = link_id, epoch = epoch, sequence = sequence }
end

-- length_fault(header, length): what is wrong with the length of a frame, or nil.
local function length_fault(header, length)
	local least = HEADER_BYTES + LEAST_PLAIN[header.type] + TAG_BYTES

	if header.type == KEEPALIVE and length ~= least then
		return ("length %d: a keepalive has exactly %d bytes"):format(length, least)
	elseif length < least then
		return ("length %d: a %s has at least %d bytes"):format(length, fields.TYPES[header.type], least)
	end
end

-- fault_of(header, length): the expert item, the text and the counter of the first rule that a frame breaks, or nil.
local function fault_of(header, length)
	if header.version ~= 1 then
		return experts.version, ("version %d: must be 1"):format(header.version), "rx_bad_version of the port"
	elseif header.link_id == 0 then
		return experts.header, "link id 0: must be 1 to 65535", "rx_no_link of the port"
	elseif not fields.TYPES[header.type] then
		return experts.type, ("type %d: must be 0 to 3"):format(header.type), "rx_bad_type"
	end
	local fault = length_fault(header, length)

	if fault then
		return experts.short, fault, "rx_short"
	elseif header.epoch == 0 then
		return experts.header, "epoch 0: must be 1 to 2^48 - 1", "rx_bad_header"
	elseif header.sequence == 0 then
		return experts.header, "sequence 0: must be 1 to 2^48 - 1", "rx_bad_header"
	end
end

-- show_short(tvb, item): a frame without a whole header.
local function show_short(tvb, item)
	local length = tvb:reported_len()

	if length < HEADER_BYTES then
		say(item, experts.short, ("length %d: a sealed frame has at least %d bytes"):format(length, HEADER_BYTES), tvb:range(),
			"rx_short of the port")
	else
		say(item, experts.snapped, ("%d of %d bytes were captured"):format(tvb:captured_len(), length))
	end
end

-- show_sealed(view, bytes): a frame whose header breaks no rule.
local function show_sealed(view, bytes)
	local tvb, item, captured, length = view.tvb, view.item, view.tvb:captured_len(), view.tvb:reported_len()
	local n = length - HEADER_BYTES - TAG_BYTES

	item:add(of_header.ciphertext, tvb(HEADER_BYTES, math.min(n, captured - HEADER_BYTES)))
	generated(item, of_header.plaintext_bytes, tvb(0, HEADER_BYTES), n)
	if captured == length then
		item:add(of_header.tag, tvb(length - TAG_BYTES, TAG_BYTES))
		open(view, bytes)
	else
		say(item, experts.snapped, ("%d of %d bytes were captured: it cannot be opened"):format(captured, length))
		show_sequence(view)
	end
end

-- show_surroundings(tvb, item): what is wrong outside of the frame.
local function show_surroundings(tvb, item)
	if keys_fault then
		say(item, experts.keys, keys_fault)
	end
	if ip_fragments() or ip6_fragments() then
		say(item, experts.fragments, "came in IP fragments: the udp underlay sends none", tvb:range())
	end
end

local function dissect(tvb, pinfo, tree)
	local captured, item = tvb:captured_len(), tree:add(proto, tvb())
	local bytes = tvb:raw(0, captured)

	pinfo.cols.protocol = "qlink"
	pinfo.cols.info = "Sealed frame"
	show_surroundings(tvb, item)
	if captured < HEADER_BYTES then
		show_short(tvb, item)
		return
	end
	local header = header_of(bytes)
	local words = ("%s, link %d, epoch %d, lane %d, sequence %d"):format(fields.TYPES[header.type] or "no type", header.link_id,
		header.epoch, header.lane, header.sequence)

	show_header(tvb, item)
	item:append_text(", " .. words)
	pinfo.cols.info = "Sealed " .. words
	local which, fault, counter = fault_of(header, tvb:reported_len())

	if which then
		say(item, which, fault, tvb(0, HEADER_BYTES), counter)
		return
	end
	show_sealed({ tvb = tvb, pinfo = pinfo, tree = tree, item = item, header = header, place = history.place(pinfo, header) }, bytes)
end

proto.dissector = dissect

-- ---- preferences, and what Wireshark calls this for ----

local in_use = {}

proto.prefs.ethertypes = Pref.range("EtherTypes", "34997", "EtherTypes of links over eth; 34997 is 0x88b5, their default", 65535)
proto.prefs.udp_ports = Pref.range("UDP ports", "7000", "Ports of links over udp", 65535)
proto.prefs.heuristic = Pref.bool("Look for sealed frames on other UDP ports", false,
	"Takes a datagram for a sealed frame that begins like one. It may be something else.")
proto.prefs.keys_file = Pref.string("File of test keys (lab use only)", "",
	"Opens frames with the keys in this file. Only for keys that protect nothing: they are in the clear in the file and in "
	.. "Wireshark's memory. A line has link id, epoch, sender (MAC or IP address, or any), and 44 bytes in hex or the name of a "
	.. "key file. See doc/wireshark.md.")

-- use(name, wanted): the dissector is called for these numbers of a table, and for those before no longer.
local function use(name, wanted)
	local which = DissectorTable.get(name)

	if in_use[name] and in_use[name] ~= "" then
		which:remove(in_use[name], proto)
	end
	if wanted ~= "" then
		which:add(wanted, proto)
	end
	in_use[name] = wanted
end

function proto.prefs_changed()
	use("ethertype", proto.prefs.ethertypes)
	use("udp.port", proto.prefs.udp_ports)
	if proto.prefs.keys_file == "" then
		test_keys, keys_fault = {}, nil
	else
		test_keys, keys_fault = keys.read(proto.prefs.keys_file)
	end
end

function proto.init() history.forget() end

-- is_likely(tvb): whether a datagram begins like a sealed frame of a link that has sent less than 2^40 frames a key.
local function is_likely(tvb)
	if tvb:captured_len() < HEADER_BYTES then
		return false
	end
	local header = header_of(tvb:raw(0, HEADER_BYTES))

	return not fault_of(header, tvb:reported_len()) and header.epoch < 1 << 40 and header.sequence < 1 << 40
end

proto:register_heuristic("udp", function(tvb, pinfo, tree)
	if not proto.prefs.heuristic or not is_likely(tvb) then
		return false
	end
	dissect(tvb, pinfo, tree)
	return true
end)

DissectorTable.get("ethertype"):add_for_decode_as(proto)
DissectorTable.get("udp.port"):add_for_decode_as(proto)
use("ethertype", proto.prefs.ethertypes)
use("udp.port", proto.prefs.udp_ports)
