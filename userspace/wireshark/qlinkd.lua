-- SPDX-License-Identifier: GPL-2.0-or-later
-- Wireshark's dissector of what two agents say to each other, as userspace/PROTOCOL.md, section 2, has it.
--
-- It stands in TLS on TCP port 7511. Without the secrets of the TLS connection there is nothing to see but TLS; qlinkd
-- writes them nowhere, and selftests/peer.py does so where it is told to.

local fields = require("qlinkd_fields")

local VERSION, HEADER_BYTES, MOST_BYTES, LAST_EPOCH = 2, 24, 16384, (1 << 48) - 1
local MOST_KMES, MOST_RUNS, MOST_EPOCHS, MOST_MIXED, MOST_KEYS = 8, 16, 64, 4, 128
local of, experts = fields.of_message, fields.experts

local proto = Proto("qlinkd", "qlink agreement between agents")

proto.fields = fields.all()
proto.experts = fields.experts

-- ---- reading ----

-- What raises the error that ends a message; it has been said then.
local ENDED = {}

-- refuse(reader, text): says why an agent ends the connection, and reads no more.
local function refuse(reader, text)
	reader.tree:add_proto_expert_info(experts.malformed, text)
	error(ENDED)
end

-- need(reader, is_right, form, …): refuses a message unless something holds.
local function need(reader, is_right, form, ...)
	if not is_right then
		refuse(reader, form:format(...))
	end
end

-- take(reader, count): the range of so many bytes.
local function take(reader, count)
	need(reader, reader.at + count <= reader.length, "message of %d bytes: ends too early", reader.length)
	reader.at = reader.at + count
	return reader.tvb(reader.at - count, count)
end

-- bytes(reader, field, count): adds so many bytes.
local function bytes(reader, field, count) reader.tree:add(field, take(reader, count)) end

-- decimal(value): 64 bits without a sign.
local function decimal(value) return tostring(UInt64(value & 0xffffffff, value >> 32)) end

-- number(reader, field, count, what, least, most): adds a number of so many bytes, which must be within bounds, if given.
local function number(reader, field, count, what, least, most)
	local range = take(reader, count)
	local value = string.unpack(">i8", ("\0"):rep(8 - count) .. range:raw())

	reader.tree:add(field, range)
	need(reader, not most or math.ult(value, most + 1) and not math.ult(value, least), "%s %s: must be %s to %s", what,
		decimal(value), least, most)
	return value
end

-- boxed(reader, field, what, sizes): adds what the document writes as [x], of a size for which sizes(size) holds.
local function boxed(reader, field, what, sizes, rule)
	local size = number(reader, of.size, 2)

	need(reader, sizes(size), "size of the %s is %d: must be %s", what, size, rule)
	local range = take(reader, size)

	if size > 0 then
		reader.tree:add(field, range)
	end
	return range:raw()
end

-- below(reader, field, count): a reader of the same bytes, whose items stand below a new one of count bytes or fewer.
local function below(reader, field, count)
	local rest = math.min(count, reader.length - reader.at)

	local tree = reader.tree:add(field, reader.tvb(reader.at, rest))

	return { tvb = reader.tvb, length = reader.length, at = reader.at, tree = tree }
end

-- ---- bodies ----

local function versions(reader)
	local lowest = number(reader, of.lowest, 1)

	number(reader, of.highest, 1, "highest version", lowest, 255)
end

local function hello(reader) versions(reader) end

-- ring(reader, field): the key ring of one direction.
local function ring(reader, field)
	local inside = below(reader, field, 0)
	local start = reader.at

	bytes(inside, of.ring_id, 16)
	local newest = number(inside, of.newest, 8, "newest epoch", 0, LAST_EPOCH)
	local last = 0

	for _ = 1, number(inside, of.runs, 1, "number of runs", 0, MOST_RUNS) do
		local first = number(inside, of.run_first, 8, "first epoch of a run", last + 1, newest)

		last = number(inside, of.run_last, 8, "last epoch of a run", first, newest)
	end
	inside.tree:set_len(inside.at - start)
	reader.at = inside.at
end

-- kme_ids(reader): the speaker's KMEs, by their place; how many there are.
local function kme_ids(reader)
	local count = number(reader, of.kmes, 1, "number of KMEs", 0, MOST_KMES)

	for _ = 1, count do
		local name = boxed(reader, of.kme, "KME ID", function(size) return size >= 1 and size <= 64 end, "1 to 64")

		need(reader, name:match("^[ -~]+$"), "KME ID: must be of printable ASCII")
	end
	return count
end

local function state(reader)
	versions(reader)
	number(reader, of.policy, 1, "policy", 1, #fields.POLICIES)
	number(reader, of.suite, 1, "suite", 1, 2)
	number(reader, of.suite_least, 1, "least suite", 1, 2)
	number(reader, of.kmes_least, 1, "least number of KMEs", 1, MOST_MIXED)
	local most = number(reader, of.kmes_most, 1, "most KMEs of a key", 0, MOST_MIXED)

	number(reader, of.demands, 1, "demands", 0, 1)
	reader.tree:add(of.chain_demanded, reader.tvb(reader.at - 1, 1))
	bytes(reader, of.sender_chain, 16)
	bytes(reader, of.current_chain, 16)
	bytes(reader, of.previous_chain, 16)
	boxed(reader, of.psk_check, "check of the pre-shared secret", function(size) return size == 0 or size == 32 end, "0 or 32")
	local count = kme_ids(reader)

	need(reader, most <= count, "most KMEs of a key %d: must be %d or fewer, as many as the speaker has", most, count)
	ring(reader, of.transmit)
	ring(reader, of.receive)
end

-- Whether a public key, or a ciphertext, of a suite has so many bytes.
local function is_public_size(size) return size == 1216 or size == 1665 end
local function is_ciphertext_size(size) return size == 1120 or size == 1665 end

local function invite(reader)
	number(reader, of.invitation, 8)
	number(reader, of.up, 1)
	bytes(reader, of.session, 48)
	bytes(reader, of.nonce, 32)
	boxed(reader, of.public_key, "KEM public key", is_public_size, "1216 or 1665")
end

-- places(reader, count): the places of the KMEs of an offer.
local function places(reader, count)
	local last = 0

	for _ = 1, count do
		last = number(reader, of.place, 1, "place", last + 1, MOST_KMES)
	end
end

-- key_ids(reader, epochs, count): for each epoch, the names of count keys.
local function key_ids(reader, epochs, count)
	local seen = {}

	for _ = 1, epochs do
		for place = 1, count do
			local name = boxed(reader, of.key_id, "KME key ID", function(size) return size >= 8 and size <= 64 end, "8 to 64")

			need(reader, name:match("^[0-9A-Za-z-]+$"), "KME key ID: must be of 0-9A-Za-z-")
			need(reader, not seen[place .. name], "KME key ID %s: twice of one KME", name)
			seen[place .. name] = true
		end
	end
end

local function offer(reader)
	number(reader, of.offer, 8)
	number(reader, of.invitation, 8)
	local first = number(reader, of.first_epoch, 8, "first epoch", 1, LAST_EPOCH)
	local epochs = number(reader, of.epochs, 1, "number of epochs", 1, MOST_EPOCHS)
	local source = number(reader, of.source, 1, "source", 0, 2)

	bytes(reader, of.session, 48)
	bytes(reader, of.chain, 16)
	bytes(reader, of.nonce, 32)
	if source == 0 then
		boxed(reader, of.ciphertext, "ciphertext of source qkd", function(size) return size == 0 end, "0")
	else
		boxed(reader, of.ciphertext, "ciphertext", is_ciphertext_size, "1120 or 1665")
	end
	local mixed = number(reader, of.mixed, 1, "KMEs of the offer", source == 2 and 0 or 1, source == 2 and 0 or MOST_MIXED)

	need(reader, epochs * mixed <= MOST_KEYS, "%d epochs with %d keys each: must be %d keys or fewer", epochs, mixed, MOST_KEYS)
	need(reader, first + epochs - 1 <= LAST_EPOCH, "last epoch %d: must be %d or less", first + epochs - 1, LAST_EPOCH)
	places(reader, mixed)
	key_ids(reader, epochs, mixed)
end

local function confirm(reader)
	number(reader, of.offer, 8)
	bytes(reader, of.confirmation, 32)
end

local function reason(reader) return number(reader, of.reason, 1, "reason", 0, #fields.REASONS) end

local function refusal(reader)
	number(reader, of.offer, 8)
	local why = reason(reader)

	number(reader, of.place, 1, "place", 0, MOST_KMES)
	reader.tree:add_proto_expert_info(experts.refused, "refused: " .. fields.REASONS[why])
end

local function withdrawal(reader)
	number(reader, of.withdrawal, 8)
	number(reader, of.direction, 1, "direction", 0, 1)
	reason(reader)
	local first = number(reader, of.first_epoch, 8, "first epoch", 1, LAST_EPOCH)

	number(reader, of.last_epoch, 8, "last epoch", first, LAST_EPOCH)
end

local BODIES = { hello, state, invite, offer, confirm, refusal, withdrawal, withdrawal, function() end }

-- ---- messages ----

-- header(reader): the first 24 bytes; the type.
local function header(reader)
	number(reader, of.length, 4, "length", HEADER_BYTES, MOST_BYTES)
	local version, kind = number(reader, of.version, 1), number(reader, of.type, 1, "type", 1, #BODIES)

	need(reader, version == VERSION, "version %d: must be %d", version, VERSION)
	need(reader, number(reader, of.link_id, 2) ~= 0, "link id 0: must be 1 to 65535")
	need(reader, number(reader, of.speaker, 8) ~= 0, "generation of the speaker 0: must not be 0")
	number(reader, of.other, 8)
	return kind
end

-- read(reader): a whole message.
local function read(reader)
	BODIES[header(reader)](reader)
	need(reader, reader.at == reader.length, "message of %d bytes: goes on after its end at %d", reader.length, reader.at)
end

-- summary(tvb): the type and the link of a message, as far as it has them.
local function summary(tvb)
	if tvb:captured_len() < 8 then
		return "message"
	end
	local kind, link_id = string.unpack(">BI2", tvb:raw(5, 3))

	return ("%s of link %d"):format(fields.TYPES[kind] or "type " .. kind, link_id)
end

-- What was said in the packet so far.
local shown = {}

-- show(tvb, pinfo, tree): one message.
local function show(tvb, pinfo, tree)
	local words, item = summary(tvb), tree:add(proto, tvb())

	item:append_text(", " .. words)
	pinfo.cols.protocol = "qlinkd"
	shown[#shown + 1] = words
	pinfo.cols.info = table.concat(shown, ", ")
	if tvb:captured_len() < tvb:reported_len() then
		item:add_proto_expert_info(experts.snapped,
			("%d of %d bytes were captured"):format(tvb:captured_len(), tvb:reported_len()))
	else
		local is_good, why = pcall(read, { tvb = tvb, length = tvb:len(), at = 0, tree = item })

		if not is_good and why ~= ENDED then
			error(why, 0)
		end
	end
	return tvb:len()
end

-- length_of(tvb, _, at): how long the message at this place is. Where it cannot be, or was not captured, it takes what there is.
local function length_of(tvb, _, at)
	local length = tvb:captured_len() - at >= 4 and string.unpack(">I4", tvb:raw(at, 4)) or 0

	return length >= HEADER_BYTES and length <= MOST_BYTES and length or math.max(tvb:reported_length_remaining(at), 4)
end

local function dissect(tvb, _, tree)
	shown = {}
	dissect_tcp_pdus(tvb, tree, 4, length_of, show)
	return tvb:len()
end

proto.dissector = dissect

-- ---- preferences, and what Wireshark calls this for ----

local in_use = ""

proto.prefs.ports = Pref.range("TCP ports", "7511", "Ports that agents listen on, with TLS", 65535)
proto.prefs.heuristic = Pref.bool("Look for agents on other ports", false,
	"Takes what stands in any TLS for an agent's message if it begins like one. Needs the secrets of the TLS connection.")

-- use_ports(): the dissector is called for the ports that are preferred, and for those before no longer.
local function use_ports()
	local tls = DissectorTable.get("tls.port")

	if in_use ~= "" then
		tls:remove(in_use, proto)
	end
	in_use = proto.prefs.ports
	if in_use ~= "" then
		tls:add(in_use, proto)
	end
end

proto.prefs_changed = use_ports

-- is_on_port(pinfo): whether one of the ports is among those that are preferred, as in "7511,8000-8010".
local function is_on_port(pinfo)
	for first, last in proto.prefs.ports:gmatch("(%d+)%-?(%d*)") do
		local least, most = tonumber(first), tonumber(last) or tonumber(first)

		for _, port in ipairs({ pinfo.src_port, pinfo.dst_port }) do
			if port >= least and port <= most then
				return true
			end
		end
	end
	return false
end

-- is_likely(tvb): whether a record of TLS begins like a message.
local function is_likely(tvb)
	if tvb:captured_len() < HEADER_BYTES then
		return false
	end
	local length, version, kind, link_id, speaker = string.unpack(">I4BBI2i8", tvb:raw(0, 16))

	return length >= HEADER_BYTES and length <= MOST_BYTES and version == VERSION and BODIES[kind] and link_id ~= 0 and speaker ~= 0
end

-- Wireshark asks for guesses before it looks at the port, and others take HELLO for a message of theirs. It asks the one that
-- came last first.
proto:register_heuristic("tls", function(tvb, pinfo, tree)
	if not is_likely(tvb) or not proto.prefs.heuristic and not is_on_port(pinfo) then
		return false
	end
	dissect(tvb, pinfo, tree)
	return true
end)

-- Without TLS it is only shown where somebody asks for it.
DissectorTable.get("tcp.port"):add_for_decode_as(proto)
use_ports()
