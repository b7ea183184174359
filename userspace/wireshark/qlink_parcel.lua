-- SPDX-License-Identifier: GPL-2.0-or-later
-- Takes the plaintext of a parcel apart, as kmod/PROTOCOL.md, section 7, has the receiver do it.

local parcel = {}

-- A rest that comes later than this after the part before it is of no use.
local BEGIN_SECONDS = 1.0
local KIND_KEEPALIVE, NO_KIND, KEEPALIVE_BYTES = 2, 3, 24

-- A begin is what a lane has of a record that the end of a parcel has cut. It is never changed: a parcel that adds to
-- it makes a new one. It has epoch and sequence of its last part, seconds, frames (numbers of those that have parts), kind,
-- length and content.

-- stance(begin, header, seconds): whether the parcel is next, and whether it is older.
local function stance(begin, header, seconds)
	if not begin then
		return false, false
	end
	if header.epoch < begin.epoch or header.epoch == begin.epoch and header.sequence < begin.sequence then
		return false, true
	end
	local follows = header.epoch == begin.epoch and header.sequence == begin.sequence + 1

	return follows and seconds - begin.seconds <= BEGIN_SECONDS, false
end

-- say(taken, counter, text): notes what a receiver would count.
local function say(taken, counter, text) taken.said[#taken.said + 1] = { counter = counter, text = text } end

-- lose(taken, why): drops the begin that is held.
local function lose(taken, why)
	say(taken, "rx_cut_lost", ("the record that began in frame %d is lost: %s"):format(taken.begin.frames[1], why))
	taken.begin = nil
end

-- first_fault(first, size, missing): what is wrong with the length of a rest in size bytes, or nil. missing is
-- how much the begin lacks, nil where none is continued.
local function first_fault(first, size, missing)
	if first > size then
		return ("first is %d: must be %d or less, which is what follows"):format(first, size)
	elseif missing and first > missing then
		return ("first is %d: must be %d or less, which is what the record lacks"):format(first, missing)
	elseif missing and first > 0 and first < missing and first < size then
		return ("first is %d: must be %d, which the record lacks, as more follows"):format(first, missing)
	end
end

-- continue(taken, header, text, seconds): the rest of a record that was cut. Whether the parcel can be read on.
local function continue(taken, header, text, seconds)
	local is_next, is_older = stance(taken.begin, header, seconds)
	local first, size = taken.first, #text - 2

	taken.is_older = is_older
	if taken.begin and not is_next and not is_older then
		lose(taken, "this parcel is not the next one of the lane, or came more than a second later")
	end
	local begin = is_next and taken.begin or nil
	local missing = begin and begin.length - #begin.content
	local fault = first_fault(first, size, missing)

	if begin and (fault or first == 0) then
		lose(taken, fault or "the next parcel has no rest")
	end
	if fault then
		say(taken, "rx_parcel_bad", fault)
		return false
	elseif first > 0 and not begin then
		say(taken, "rx_cut_late", "the rest of a record whose begin is not held")
	elseif first > 0 then
		local frames = { table.unpack(begin.frames) }

		frames[#frames + 1] = header.frame
		taken.begin = {
			epoch = header.epoch, sequence = header.sequence, seconds = seconds, frames = frames,
			kind = begin.kind, length = begin.length, content = begin.content .. text:sub(3, 2 + first),
		}
		taken.rest = taken.begin
		if first == missing then
			taken.begin = nil
		end
	end
	return true
end

-- head_fault(kind, length): what is wrong with the head of a record, or nil.
local function head_fault(kind, length)
	if kind == NO_KIND then
		return "kind 3: there is no such kind"
	elseif length == 0 then
		return ("a record of kind %d without content"):format(kind)
	elseif kind == KIND_KEEPALIVE and length ~= KEEPALIVE_BYTES then
		return ("length %d of a keepalive: must be %d"):format(length, KEEPALIVE_BYTES)
	end
end

-- split(taken, header, text, seconds): the records that begin here, and the padding.
local function split(taken, header, text, seconds)
	local at = 2 + taken.first

	while #text - at > 1 and text:sub(at + 1, at + 2) ~= "\0\0" do
		local head = string.unpack(">I2", text, at + 1)
		local record = { at = at, kind = head >> 14, length = head & 0x3fff }
		local fault = head_fault(record.kind, record.length)

		if fault then
			say(taken, "rx_parcel_bad", fault)
			return
		end
		record.content = text:sub(at + 3, at + 2 + record.length)
		record.is_whole = #record.content == record.length
		taken.records[#taken.records + 1] = record
		at = at + 2 + #record.content
		if not record.is_whole and taken.is_older then
			say(taken, "rx_cut_lost", "a record is cut at the end of a parcel that is older than the begin that is held")
		elseif not record.is_whole then
			taken.begin = {
				epoch = header.epoch, sequence = header.sequence, seconds = seconds, frames = { header.frame },
				kind = record.kind, length = record.length, content = record.content,
			}
		end
	end
	taken.padding = { at = at, length = #text - at }
	if text:find("[^\0]", at + 1) then
		say(taken, "rx_parcel_bad", "padding that is not zero")
	end
end

-- parcel.take(begin, header, text, seconds): what is in a parcel with this plaintext of 2 bytes or more.
--
-- begin is what its lane holds before, or nil. header has epoch, sequence and frame, its number in the capture. The
-- result has: first; rest, the begin with its rest added, if there is one; records, each with at (its head's offset),
-- kind, length, content and is_whole; padding, with at and length, unless the parcel is bad; said, what a
-- receiver counts, each with counter and text; and begin, what the lane holds after it.
function parcel.take(begin, header, text, seconds)
	local taken = { first = string.unpack(">I2", text), records = {}, said = {}, begin = begin }

	if continue(taken, header, text, seconds) then
		split(taken, header, text, seconds)
	end
	return taken
end

return parcel
