-- SPDX-License-Identifier: GPL-2.0-or-later
-- What earlier frames of a capture say about a frame.
--
-- Wireshark dissects all frames in their order once, and then any of them again. So what depends on earlier frames
-- is found once for each frame, and kept.

local history = {}

local WINDOW = 4096	-- of kmod/PROTOCOL.md, section 3
local senders, found, numbers, highest, begins, stamps

-- history.forget(): before the first frame of a capture.
function history.forget()
	senders, found, numbers, highest, begins, stamps = {}, {}, {}, {}, {}, {}
end

history.forget()

-- number_of(address): a number that stands for an address: its text may be a name that changes.
local function number_of(address)
	for number, known in ipairs(senders) do
		if known == address then
			return number
		end
	end
	senders[#senders + 1] = address
	return #senders
end

-- history.place(pinfo, header): what names the lane of a frame, and what names the frame in it, for the functions below.
function history.place(pinfo, header)
	local lane = ("%d %d %d %d"):format(number_of(pinfo.dl_src), number_of(pinfo.net_src), header.link_id, header.lane)

	return { lane = lane, frame = pinfo.number, name = ("%s %d %d"):format(lane, header.epoch, header.sequence),
		visit = ("%d %s %d %d"):format(pinfo.number, lane, header.epoch, header.sequence) }
end

-- once(what, place, find): the result of find() at the first time that this frame was dissected.
local function once(what, place, find)
	local name = what .. place.visit

	if found[name] == nil then
		found[name] = find() or false
	end
	return found[name]
end

-- history.sequence(place, header): what is known of the sequence of a frame whose tag is not wrong: duplicate, the
-- frame that had it before, or nil; missing, how many sequences are missing before it; is_late, whether it is behind
-- the window.
function history.sequence(place, header)
	return once("sequence ", place, function()
		local lane = ("%s %d"):format(place.lane, header.epoch)
		local top = highest[lane]
		local result = { duplicate = numbers[place.name], missing = 0, is_late = top and header.sequence + WINDOW <= top }

		numbers[place.name] = numbers[place.name] or place.frame
		if top and header.sequence > top then
			result.missing = header.sequence - top - 1
		end
		highest[lane] = math.max(top or 0, header.sequence)
		return result
	end)
end

-- history.parcel(place, take): what take(begin) makes of a parcel, where begin is what its lane held before it.
function history.parcel(place, take)
	local before = once("begin ", place, function() return begins[place.lane] end) or nil
	local taken = take(before)

	once("parcel ", place, function()
		begins[place.lane] = taken.begin
		return true
	end)
	return taken
end

-- history.echo(place, header, stamp, echo): the frame that an echo sends back the stamp of, or nil.
function history.echo(place, header, stamp, echo)
	return once(("echo %d %d "):format(stamp, echo), place, function()
		stamps[("%d %d"):format(header.link_id, stamp)] = place.frame
		return stamps[("%d %d"):format(header.link_id, echo)]
	end) or nil
end

return history
