-- SPDX-License-Identifier: GPL-2.0-or-later
-- How luacheck looks at these files.
std = "lua54"
max_line_length = 130
read_globals = {
	-- what Wireshark gives to Lua
	"Address", "ByteArray", "Dissector", "DissectorTable", "Field", "Pref", "Proto", "ProtoExpert", "ProtoField", "UInt64",
	"base", "dissect_tcp_pdus", "expert", "frametype",
}
