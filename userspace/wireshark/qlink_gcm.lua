-- SPDX-License-Identifier: GPL-2.0-or-later
-- AES-256-GCM (FIPS 197, NIST SP 800-38D), which only opens: Wireshark 4.4 has no cipher for Lua.
--
-- It is slow, half a millisecond for 1,500 bytes, and its time depends on the key and the data. It is for test keys in a lab.

local gcm = {}

-- ---- AES ----

-- times(a, b): the product of two elements of AES's field, GF(2^8).
local function times(a, b)
	local product = 0

	while b > 0 do
		if b & 1 == 1 then
			product = product ~ a
		end
		a = a << 1
		if a > 255 then
			a = a ~ 0x11b
		end
		b = b >> 1
	end
	return product
end

-- substitute(x): the S-box of FIPS 197, 5.1.1, from its definition: the inverse, which is x^254, and an affine map.
local function substitute(x)
	local inverse, power, value = 1, x, 0x63

	for bit = 1, 7 do
		power = times(power, power)
		inverse = bit == 1 and power or times(inverse, power)
	end
	for turn = 0, 4 do
		value = value ~ (inverse << turn | inverse >> 8 - turn) & 255
	end
	return value
end

local function rotate(word, bits) return (word >> bits | word << 32 - bits) & 0xffffffff end

-- SubBytes, ShiftRows and MixColumns of one byte in each of the four places of a column.
local sbox, column0, column1, column2, column3 = {}, {}, {}, {}, {}

for x = 0, 255 do
	local s = substitute(x)

	sbox[x] = s
	column0[x] = times(s, 2) << 24 | s << 16 | s << 8 | times(s, 3)
	column1[x] = rotate(column0[x], 8)
	column2[x] = rotate(column0[x], 16)
	column3[x] = rotate(column0[x], 24)
end

local function substitute_word(w)
	return sbox[w >> 24] << 24 | sbox[w >> 16 & 255] << 16 | sbox[w >> 8 & 255] << 8 | sbox[w & 255]
end

-- expand(key): the 60 words of the key schedule (FIPS 197, 5.2) of 32 bytes.
local function expand(key)
	local words, constant = {}, 1

	for i = 0, 7 do
		words[i] = string.unpack(">I4", key, 4 * i + 1)
	end
	for i = 8, 59 do
		local word = words[i - 1]

		if i % 8 == 0 then
			word = substitute_word(rotate(word, 24)) ~ constant << 24
			constant = times(constant, 2)
		elseif i % 8 == 4 then
			word = substitute_word(word)
		end
		words[i] = words[i - 8] ~ word
	end
	return words
end

-- encrypt(words, a, b, c, d): the four words of a block under a key schedule.
local function encrypt(words, a, b, c, d)
	local t0, t1, t2, t3 = column0, column1, column2, column3
	local s = sbox

	a, b, c, d = a ~ words[0], b ~ words[1], c ~ words[2], d ~ words[3]
	for i = 4, 52, 4 do
		a, b, c, d =
			t0[a >> 24] ~ t1[b >> 16 & 255] ~ t2[c >> 8 & 255] ~ t3[d & 255] ~ words[i],
			t0[b >> 24] ~ t1[c >> 16 & 255] ~ t2[d >> 8 & 255] ~ t3[a & 255] ~ words[i + 1],
			t0[c >> 24] ~ t1[d >> 16 & 255] ~ t2[a >> 8 & 255] ~ t3[b & 255] ~ words[i + 2],
			t0[d >> 24] ~ t1[a >> 16 & 255] ~ t2[b >> 8 & 255] ~ t3[c & 255] ~ words[i + 3]
	end
	return (s[a >> 24] << 24 | s[b >> 16 & 255] << 16 | s[c >> 8 & 255] << 8 | s[d & 255]) ~ words[56],
		(s[b >> 24] << 24 | s[c >> 16 & 255] << 16 | s[d >> 8 & 255] << 8 | s[a & 255]) ~ words[57],
		(s[c >> 24] << 24 | s[d >> 16 & 255] << 16 | s[a >> 8 & 255] << 8 | s[b & 255]) ~ words[58],
		(s[d >> 24] << 24 | s[a >> 16 & 255] << 16 | s[b >> 8 & 255] << 8 | s[c & 255]) ~ words[59]
end

-- ---- GHASH ----

-- What comes back into the high half where a product is shifted right by a byte, by the byte that is shifted out.
local reduced = {}

for byte = 0, 255 do
	local value = 0

	for bit = 0, 7 do
		if byte >> bit & 1 == 1 then
			value = value ~ (0xe1 << 56) >> 7 - bit
		end
	end
	reduced[byte] = value
end

-- multiples(high, low): the products of the hash key, two halves of 64 bits, and each byte.
local function multiples(high, low)
	local highs, lows = { [0] = 0 }, { [0] = 0 }

	for bit = 7, 0, -1 do
		highs[1 << bit], lows[1 << bit] = high, low
		high, low = high >> 1 ~ (low & 1 == 1 and 0xe1 << 56 or 0), low >> 1 | high << 63
	end
	for bit = 1, 7 do
		for below = 1, (1 << bit) - 1 do
			highs[1 << bit | below] = highs[1 << bit] ~ highs[below]
			lows[1 << bit | below] = lows[1 << bit] ~ lows[below]
		end
	end
	return highs, lows
end

-- multiply(cipher, high, low): the product of the hash key and a block.
local function multiply(cipher, high, low)
	local highs, lows = cipher.highs, cipher.lows
	local out_high, out_low = 0, 0

	for _, half in ipairs({ low, high }) do
		for shift = 0, 56, 8 do
			local byte, carry = half >> shift & 255, reduced[out_low & 255]

			out_low = (out_low >> 8 | out_high << 56) ~ lows[byte]
			out_high = out_high >> 8 ~ carry ~ highs[byte]
		end
	end
	return out_high, out_low
end

-- absorb(cipher, high, low, text): hashes a text on, with zeros to the end of its last block.
local function absorb(cipher, high, low, text)
	text = text .. ("\0"):rep(-#text % 16)
	for at = 1, #text, 16 do
		local more_high, more_low = string.unpack(">i8i8", text, at)

		high, low = multiply(cipher, high ~ more_high, low ~ more_low)
	end
	return high, low
end

-- ---- GCM ----

-- gcm.new(key): what opens under a key of 32 bytes.
function gcm.new(key)
	local cipher = { words = expand(key) }
	local a, b, c, d = encrypt(cipher.words, 0, 0, 0, 0)

	cipher.highs, cipher.lows = multiples(a << 32 | b, c << 32 | d)
	return cipher
end

-- gcm.open(cipher, nonce, associated, text, tag): the plaintext of text, or nil where the tag of 16 bytes is wrong.
-- The nonce has 12 bytes.
function gcm.open(cipher, nonce, associated, text, tag)
	local words, n0, n1, n2 = cipher.words, string.unpack(">I4I4I4", nonce)
	local high, low = absorb(cipher, 0, 0, associated)
	local parts, a, b, c, d = {}, encrypt(words, n0, n1, n2, 1)

	high, low = absorb(cipher, high, low, text)
	high, low = multiply(cipher, high ~ #associated * 8, low ~ #text * 8)
	if string.pack(">i8i8", high ~ (a << 32 | b), low ~ (c << 32 | d)) ~= tag then
		return nil
	end
	local padded = text .. ("\0"):rep(-#text % 16)

	for at = 1, #padded, 16 do
		local t0, t1, t2, t3 = string.unpack(">I4I4I4I4", padded, at)

		a, b, c, d = encrypt(words, n0, n1, n2, 2 + at // 16)
		parts[#parts + 1] = string.pack(">I4I4I4I4", a ~ t0, b ~ t1, c ~ t2, d ~ t3)
	end
	return table.concat(parts):sub(1, #text)
end

return gcm
