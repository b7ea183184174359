-- SPDX-License-Identifier: GPL-2.0-or-later
-- What Wireshark can show of a sealed frame and filter by, and what it says is wrong with one.
-- scripts/wireshark/page.py lists them in doc/wireshark.md; scripts/wireshark/reading.py has what they must be.

local dec, hex, group, severity = base.DEC, base.HEX, expert.group, expert.severity

local fields = {}

fields.TYPES = { [0] = "frame", "keepalive", "frame with checksum state", "parcel" }

-- Records have other numbers than frames of the same content.
fields.KINDS = { [0] = "frame", "frame with checksum state", "keepalive", "no kind" }

fields.NOT_CHECKED, fields.GOOD, fields.BAD = 0, 1, 2
local TAG_STATES = { [0] = "not checked", "good", "bad" }

fields.of_header = {
	version = ProtoField.uint8("qlink.version", "Version", dec, nil, 0xf0),
	type = ProtoField.uint8("qlink.type", "Type", dec, fields.TYPES, 0x0f),
	lane = ProtoField.uint8("qlink.lane", "Lane", dec, nil, nil, "Share of the sequences that the sealing CPU takes from"),
	link_id = ProtoField.uint16("qlink.link_id", "Link id", dec),
	epoch = ProtoField.uint64("qlink.epoch", "Epoch", dec, nil, nil, "Number of the key of this direction"),
	sequence = ProtoField.uint64("qlink.sequence", "Sequence", dec, nil, nil, "Number of the frame in its epoch and lane"),
	ciphertext = ProtoField.bytes("qlink.ciphertext", "Ciphertext"),
	tag = ProtoField.bytes("qlink.tag", "Tag"),
	tag_status = ProtoField.uint8("qlink.tag.status", "Tag status", dec, TAG_STATES, nil, "Whether a given key opens the frame"),
	nonce = ProtoField.bytes("qlink.nonce", "Nonce"),
	plaintext = ProtoField.bytes("qlink.plaintext", "Plaintext"),
	plaintext_bytes = ProtoField.uint32("qlink.plaintext_bytes", "Bytes of plaintext", dec),
	missing = ProtoField.uint64("qlink.missing", "Sequences missing before it", dec, nil, nil,
		"Sequences between this one and the highest before it in the capture, of the same epoch and lane"),
	duplicate = ProtoField.framenum("qlink.duplicate_of", "Same epoch, lane and sequence as", base.NONE, frametype.DUP_ACK),
	counter = ProtoField.string("qlink.counter", "Counter of a receiver", base.ASCII,
		"Counter that the frame moves at a receiver with the given keys"),
}

fields.of_keepalive = {
	stamp = ProtoField.uint64("qlink.keepalive.stamp", "Stamp", dec, nil, nil, "When it was sent, in ns, by the sender's clock"),
	echo = ProtoField.uint64("qlink.keepalive.echo", "Echo", dec, nil, nil, "Stamp of the peer's keepalive that came last"),
	echo_of = ProtoField.framenum("qlink.keepalive.echo_of", "Echo of", base.NONE, frametype.REQUEST),
	epoch = ProtoField.uint64("qlink.keepalive.epoch", "Epoch of the peer", dec, nil, nil,
		"Newest of the peer's epochs that has authenticated"),
	interval = ProtoField.uint16("qlink.keepalive.interval", "Interval in ms", dec, nil, nil, "The sender's keepalive-ms"),
	beacon = ProtoField.bool("qlink.keepalive.beacon", "Beacon", base.NONE, nil, nil,
		"It only shows where its sender can be reached"),
}

fields.of_checksum = {
	start = ProtoField.uint16("qlink.csum.start", "Checksum start", dec, nil, nil, "Offset of what is summed, in the inner frame"),
	offset = ProtoField.uint16("qlink.csum.offset", "Checksum offset", dec, nil, nil, "Offset of the checksum field from the start"),
	finished = ProtoField.uint16("qlink.csum.finished", "Finished checksum", hex),
}

fields.of_parcel = {
	first = ProtoField.uint16("qlink.parcel.first", "First", dec, nil, nil, "Bytes of a record that began in an earlier parcel"),
	rest = ProtoField.bytes("qlink.parcel.rest", "Rest of a record"),
	part = ProtoField.framenum("qlink.parcel.part", "The record has a part in", base.NONE),
	record = ProtoField.none("qlink.parcel.record", "Record"),
	kind = ProtoField.uint16("qlink.parcel.kind", "Kind", dec, fields.KINDS, 0xc000),
	length = ProtoField.uint16("qlink.parcel.length", "Length", dec, nil, 0x3fff, "Bytes of the record's content"),
	content = ProtoField.bytes("qlink.parcel.content", "Content"),
	cut = ProtoField.uint16("qlink.parcel.cut", "Bytes that later parcels have", dec),
	padding = ProtoField.uint32("qlink.parcel.padding", "Bytes of padding", dec),
}

fields.experts = {
	short = ProtoExpert.new("qlink.short", "Length is not one that the type can have", group.MALFORMED, severity.ERROR),
	version = ProtoExpert.new("qlink.bad_version", "Version is not 1", group.MALFORMED, severity.ERROR),
	type = ProtoExpert.new("qlink.bad_type", "There is no such type", group.MALFORMED, severity.ERROR),
	header = ProtoExpert.new("qlink.bad_header", "Link id, epoch and sequence are never 0", group.MALFORMED, severity.ERROR),
	snapped = ProtoExpert.new("qlink.not_captured", "The capture does not have the whole frame", group.UNDECODED, severity.NOTE),
	fragments = ProtoExpert.new("qlink.fragments", "Sealed frame came in IP fragments", group.PROTOCOL, severity.WARN),
	tag = ProtoExpert.new("qlink.bad_tag", "No key that is given for this epoch opens it", group.CHECKSUM, severity.ERROR),
	no_key = ProtoExpert.new("qlink.no_key", "No key is given for this epoch and sender", group.DECRYPTION, severity.NOTE),
	keys = ProtoExpert.new("qlink.bad_keys", "The file of test keys has an error", group.DECRYPTION, severity.WARN),
	duplicate = ProtoExpert.new("qlink.duplicate", "Epoch, lane and sequence of an earlier frame", group.SEQUENCE, severity.NOTE),
	late = ProtoExpert.new("qlink.late", "Sequence is behind the window", group.SEQUENCE, severity.NOTE),
	keepalive = ProtoExpert.new("qlink.bad_keepalive", "Keepalive with a value that it cannot have", group.PROTOCOL, severity.WARN),
	inner = ProtoExpert.new("qlink.bad_inner", "Checksum field lies outside the inner frame", group.MALFORMED, severity.ERROR),
	parcel = ProtoExpert.new("qlink.bad_parcel", "Parcel cannot be taken apart", group.MALFORMED, severity.ERROR),
	cut_lost = ProtoExpert.new("qlink.cut_lost", "A record is lost, which parcels have cut", group.SEQUENCE, severity.NOTE),
	cut_late = ProtoExpert.new("qlink.cut_late", "Rest of a record that is not held", group.SEQUENCE, severity.NOTE),
}

-- fields.all(): all fields in one list, for their protocol.
function fields.all()
	local all = {}

	for _, some in ipairs({ fields.of_header, fields.of_keepalive, fields.of_checksum, fields.of_parcel }) do
		for _, field in pairs(some) do
			all[#all + 1] = field
		end
	end
	return all
end

return fields
