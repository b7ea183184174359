-- SPDX-License-Identifier: GPL-2.0-or-later
-- What Wireshark can show of the agents' messages and filter by, and what it says is wrong with one.
-- scripts/wireshark/page.py lists them in doc/wireshark.md; scripts/wireshark/agents_test.py has what they must be.

local dec, group, severity = base.DEC, expert.group, expert.severity

local fields = {}

fields.TYPES = { "HELLO", "STATE", "INVITE", "OFFER", "CONFIRM", "REFUSE", "WITHDRAW", "WITHDRAWN", "LEAVE" }

fields.POLICIES = { "hybrid-required", "qkd-required", "prefer-hybrid", "pqc-only" }
fields.SOURCES = { [0] = "qkd", "hybrid", "pqc" }
fields.REASONS = {
	[0] = "none", "source", "epoch", "chain", "key-id", "kme", "kem", "kernel", "timeout", "confirm", "policy", "limit", "command",
	"memory",
}
fields.DIRECTIONS = { [0] = "the speaker sends frames", "the speaker receives frames" }

-- number(bytes, name, label, names): a field for a number of so many bytes.
local function number(bytes, name, label, names)
	local make = { ProtoField.uint8, ProtoField.uint16, [4] = ProtoField.uint32, [8] = ProtoField.uint64 }

	return make[bytes]("qlinkd." .. name, label, dec, names)
end

local function bytes(name, label) return ProtoField.bytes("qlinkd." .. name, label) end

local function text(name, label) return ProtoField.string("qlinkd." .. name, label, base.ASCII) end

fields.of_message = {
	length = number(4, "length", "Length of the message"),
	version = number(1, "version", "Version"),
	type = number(1, "type", "Type", fields.TYPES),
	link_id = number(2, "link_id", "Link id"),
	speaker = ProtoField.uint64("qlinkd.generation", "Generation of the speaker", base.HEX),
	other = ProtoField.uint64("qlinkd.other_generation", "Generation of the other end", base.HEX),
	lowest = number(1, "lowest_version", "Lowest version"),
	highest = number(1, "highest_version", "Highest version"),
	policy = number(1, "policy", "Policy", fields.POLICIES),
	suite = number(1, "suite", "Suite"),
	suite_least = number(1, "suite_least", "Least suite"),
	kmes_least = number(1, "kmes_least", "Least number of KMEs"),
	kmes_most = number(1, "kmes_most", "Most KMEs of a key that it sends with"),
	demands = number(1, "demands", "Demands"),
	chain_demanded = ProtoField.bool("qlinkd.demands.chain", "Accepts no chain of zeros", 8, nil, 0x01),
	sender_chain = bytes("chain.sender", "Tag of its chain as sender"),
	current_chain = bytes("chain.current", "Tag of its current chain as receiver"),
	previous_chain = bytes("chain.previous", "Tag of its previous chain as receiver"),
	psk_check = bytes("psk_check", "Check of the pre-shared secret"),
	size = number(2, "size", "Size of what follows"),
	kmes = number(1, "kmes", "Number of KMEs"),
	kme = text("kme", "KME ID"),
	transmit = ProtoField.none("qlinkd.transmit_ring", "Transmit ring"),
	receive = ProtoField.none("qlinkd.receive_ring", "Receive ring"),
	ring_id = bytes("ring.id", "Ring id"),
	newest = number(8, "ring.newest", "Newest epoch that it ever held"),
	runs = number(1, "ring.runs", "Number of runs"),
	run_first = number(8, "ring.first", "First epoch of a run"),
	run_last = number(8, "ring.last", "Last epoch of a run"),
	invitation = number(8, "invitation", "Number of the invitation"),
	up = number(1, "up", "KMEs that are up"),
	session = bytes("session", "Session"),
	nonce = bytes("nonce", "Nonce"),
	public_key = bytes("public_key", "KEM public key"),
	offer = number(8, "offer", "Number of the offer"),
	first_epoch = number(8, "first_epoch", "First epoch"),
	last_epoch = number(8, "last_epoch", "Last epoch"),
	epochs = number(1, "epochs", "Number of epochs"),
	source = number(1, "source", "Source", fields.SOURCES),
	chain = bytes("chain", "Tag of the chain"),
	ciphertext = bytes("ciphertext", "Ciphertext"),
	mixed = number(1, "mixed", "KMEs of the offer"),
	place = number(1, "place", "Place of a KME"),
	key_id = text("key_id", "KME key ID"),
	confirmation = bytes("confirmation", "Key confirmation"),
	reason = number(1, "reason", "Reason", fields.REASONS),
	withdrawal = number(8, "withdrawal", "Number of the withdrawal"),
	direction = number(1, "direction", "Direction", fields.DIRECTIONS),
}

fields.experts = {
	malformed = ProtoExpert.new("qlinkd.malformed", "Message that ends the connection", group.MALFORMED, severity.ERROR),
	snapped = ProtoExpert.new("qlinkd.not_captured", "The capture does not have the whole message", group.UNDECODED, severity.NOTE),
	refused = ProtoExpert.new("qlinkd.refused", "Offer is refused", group.RESPONSE_CODE, severity.NOTE),
}

-- fields.all(): all fields in one list, for their protocol.
function fields.all()
	local all = {}

	for _, field in pairs(fields.of_message) do
		all[#all + 1] = field
	end
	return all
end

return fields
