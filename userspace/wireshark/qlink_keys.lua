-- SPDX-License-Identifier: GPL-2.0-or-later
-- The file of test keys that sealed frames are opened with. Its lines are those of selftests/qlinkwire.py:
--
--   LINK-ID EPOCH SENDER KEY
--
-- SENDER is the MAC or IP address of the end that seals under the key, or "any". KEY is 44 bytes in hex, 32 of key and
-- 12 of salt; or the name of a file that holds them, as "qlinkctl key install" reads it, seen from the folder of this
-- file. "#" begins a comment.

local gcm = require("qlink_gcm")

local keys = {}

-- What Wireshark takes a word for that is no address. No sender has these.
local NO_IPV4, NO_IPV6 = Address.ip("0.0.0.0"), Address.ipv6("::")

-- address_of(word): the address as Wireshark compares it; nil for "any", and false for what is no address.
local function address_of(word)
	local address = false

	if word == "any" then
		return nil
	elseif word:match("^%x%x:%x%x:%x%x:%x%x:%x%x:%x%x$") then
		address = Address.ether(word)
	elseif word:match("^%d+%.%d+%.%d+%.%d+$") then
		address = Address.ip(word)
	elseif word:match("^[%x:.]*:[%x:.]*$") then
		address = Address.ipv6(word)
	end
	if address and (address == NO_IPV4 or address == NO_IPV6) then
		return false
	end
	return address
end

-- bytes_of(word, folder): the key and salt that a word gives or names; or nil and what is wrong with it.
local function bytes_of(word, folder)
	if #word == 88 and word:match("^%x+$") then
		return (word:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
	end
	local file, why = io.open(word:sub(1, 1) == "/" and word or folder .. word, "rb")

	if not file then
		return nil, why
	end
	local raw = file:read(45) or ""

	file:close()
	if #raw ~= 44 then
		return nil, ("%s: has %s bytes, must have 44: 32 of key, then 12 of salt"):format(word,
			#raw > 44 and "more than 44" or #raw)
	end
	return raw
end

-- number_of(word, most): a decimal number of 1 to most, or nil.
local function number_of(word, most)
	local number = word:match("^%d+$") and #word < 17 and math.tointeger(tonumber(word))

	return number and number >= 1 and number <= most and number or nil
end

-- key_of(words, folder): the key of a line, or nil and what is wrong with it.
local function key_of(words, folder)
	if #words ~= 4 then
		return nil, ("%d words, must be 4: link id, epoch, sender and key"):format(#words)
	end
	local link_id, epoch = number_of(words[1], 65535), number_of(words[2], (1 << 48) - 1)
	local sender = address_of(words[3])

	if not link_id then
		return nil, ("link id %s: must be 1 to 65535"):format(words[1])
	elseif not epoch then
		return nil, ("epoch %s: must be 1 to 2^48 - 1"):format(words[2])
	elseif sender == false then
		return nil, ("sender %s: must be a MAC address, an IP address or any"):format(words[3])
	end
	local raw, why = bytes_of(words[4], folder)

	if not raw then
		return nil, why
	end
	return { link_id = link_id, epoch = epoch, sender = sender, salt = raw:sub(33), cipher = gcm.new(raw:sub(1, 32)) }
end

-- keys.read(path): the keys of a file, for keys.find(), and the first thing that is wrong with it, or nil.
function keys.read(path)
	local found, folder, number, first_why = {}, path:match("^.*/") or "", 0, nil
	local file, why = io.open(path, "r")

	if not file then
		return found, why
	end
	for line in file:lines() do
		local words = {}

		number = number + 1
		for word in line:gsub("#.*", ""):gmatch("%S+") do
			words[#words + 1] = word
		end
		if #words > 0 then
			local key, wrong = key_of(words, folder)

			if key then
				found[#found + 1] = key
			else
				first_why = first_why or ("%s:%d: %s"):format(path, number, wrong)
			end
		end
	end
	file:close()
	return found, first_why
end

-- keys.find(found, link_id, epoch, senders): those that a frame may be sealed with that has one of these addresses.
function keys.find(found, link_id, epoch, senders)
	local fitting = {}

	for _, key in ipairs(found) do
		local is_ours = not key.sender

		for _, sender in ipairs(senders) do
			is_ours = is_ours or key.sender == sender
		end
		if is_ours and key.link_id == link_id and key.epoch == epoch then
			fitting[#fitting + 1] = key
		end
	end
	return fitting
end

return keys
