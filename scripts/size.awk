# SPDX-License-Identifier: GPL-2.0
# Counts the code lines of files and functions for scripts/check-size. A code line is one that is not blank
# and holds more than a comment (or, in Python, a docstring). A function is counted with its head and braces.
# In C, shell, awk and Lua, functions start in column 1. In Python, a nested function also counts in the outer one.
#
# Output: "file" or "function", folder, language, lines, where, name of the function; separated by tabs.

function language_of(path, first)
{
	if (path ~ /\.[ch]$/)
		return "C"
	if (path ~ /\.py$/ || first ~ /^#!.*python/)
		return "Python"
	if (path ~ /\.lua$/)
		return "Lua"
	if (path ~ /\.awk$/ || first ~ /^#!.*awk/)
		return "awk"
	if (path ~ /\.sh$/ || first ~ /^#!.*sh/)
		return "shell"
	return "make"
}

function put(kind, lines, where, name)
{
	printf "%s\t%s\t%s\t%d\t%s\t%s\n", kind, folder, language, lines, where, name
}

# Returns a line of C without its comments, and with its literals emptied.
function without_c_comments(line,    start, end)
{
	if (in_comment) {
		end = index(line, "*/")
		if (!end)
			return ""
		in_comment = 0
		line = substr(line, end + 2)
	}
	gsub(/\\\\/, "", line)
	gsub(/\\"/, "", line)
	gsub(/'"'|'\\''/, "0", line)
	gsub(/"[^"]*"/, "\"\"", line)
	while (start = index(line, "/*")) {
		end = index(substr(line, start + 2), "*/")
		if (!end) {
			in_comment = 1
			line = substr(line, 1, start - 1)
			break
		}
		line = substr(line, 1, start - 1) " " substr(line, start + end + 3)
	}
	sub(/\/\/.*/, "", line)
	return line
}

# The first word before a "(" that is not an attribute; for a test, which a macro begins, its sentence.
function c_name(text,    name)
{
	if (match(text, /^TEST\([a-z_0-9]+/))
		return substr(text, 6, RLENGTH - 5)
	while (match(text, /[A-Za-z_][A-Za-z_0-9]*\(/)) {
		name = substr(text, RSTART, RLENGTH - 1)
		if (name !~ /^__/)
			return name
		text = substr(text, RSTART + RLENGTH)
	}
	return name
}

function c_line(line)
{
	if (in_function) {
		function_lines++
		if (line ~ /^}/)
			end_function()
		return
	}
	if (line ~ /^[A-Za-z_].*\).*\{.*\}[ \t]*$/) {
		put("function", 1, FILENAME ":" FNR, c_name(line))
		head = ""
		return
	}
	if (line ~ /^\{/ && head ~ /\)/) {
		begin_function(c_name(head), head_lines + 1, head_line)
		return
	}
	# A head may have several lines. A declaration, data or a directive is not part of one.
	if (line ~ /^#/ || line ~ /[;}\\][ \t]*$/ || line ~ /=/) {
		head = ""
		return
	}
	if (head == "") {
		head_line = FNR
		head_lines = 0
	}
	head = head line
	head_lines++
}

function begin_function(name, lines, at)
{
	in_function = 1
	function_name = name
	function_lines = lines
	function_at = at
	head = ""
}

function end_function()
{
	put("function", function_lines, FILENAME ":" function_at, function_name)
	in_function = 0
}

# Shell and awk.
function braces_line(line,    name)
{
	if (in_function) {
		function_lines++
		if (line ~ /^[})]/)
			end_function()
		return
	}
	if (line !~ (language == "awk" ? "^function " : "^[A-Za-z_0-9]+\\(\\)"))
		return
	name = line
	sub(/^function /, "", name)
	sub(/\(.*/, "", name)
	begin_function(name, 1, FNR)
	if (line ~ /[})][ \t]*(#.*)?$/ && line ~ /[{(].*[{(]/)
		end_function()
}

function lua_line(line,    name)
{
	if (in_function) {
		function_lines++
		if (line ~ /^end/)
			end_function()
		return
	}
	if (line !~ /^(local )?function /)
		return
	name = line
	sub(/^(local )?function /, "", name)
	sub(/\(.*/, "", name)
	begin_function(name, 1, FNR)
	if (line ~ /[ \t]end$/)
		end_function()
}

function indent_of(line) { match(line, /^[ \t]*/); return RLENGTH }

# Ends the Python functions that a line with this indent is outside of.
function end_python(indent)
{
	while (depth && indent <= indents[depth]) {
		put("function", counts[depth], FILENAME ":" lines_at[depth], names[depth])
		depth--
	}
}

function python_line(line,    i, name)
{
	if (!open_head && !in_string)
		end_python(indent_of(line))
	if (!in_string && line ~ /^[ \t]*(async )?def /) {
		name = line
		sub(/^[ \t]*(async )?def /, "", name)
		sub(/\(.*/, "", name)
		depth++
		names[depth] = name
		counts[depth] = 0
		lines_at[depth] = FNR
		indents[depth] = indent_of(line)
		open_head = 1
	}
	for (i = 1; i <= depth; i++)
		counts[i]++
	if (open_head && line ~ /:[ \t]*(#.*)?$/ || line ~ /:.*\.\.\.$/)
		open_head = 0
}

# Returns 1 for a line of a docstring. Keeps track of strings that span lines.
function python_text(line,    quotes, is_doc)
{
	quotes = gsub(/"""/, "&", line)
	is_doc = in_doc || (!in_string && line ~ /^[ \t]*r?"""/)
	if (quotes % 2) {
		if (in_string)
			in_string = in_doc = 0
		else if (is_doc)
			in_string = in_doc = 1
		else
			next_in_string = 1
	}
	return is_doc
}

function begin_file()
{
	language = language_of(FILENAME, $0)
	folder = FILENAME
	if (!sub(/\/.*/, "", folder))
		folder = "."
	lines = in_comment = in_function = in_string = in_doc = next_in_string = open_head = depth = 0
	head = ""
	path = FILENAME
}

function end_file()
{
	if (path == "")
		return
	if (language == "Python")
		end_python(-1)
	put("file", lines, path, "")
}

FNR == 1 { end_file(); begin_file() }

{
	text = $0
	if (language == "C")
		text = without_c_comments(text)
	else if (language == "Python" && python_text(text))
		next
	else if (text ~ (language == "Lua" ? "^[ \t]*--" : "^[ \t]*#") && !in_string)
		next
	if (text ~ /^[ \t]*$/)
		next
	lines++
	if (language == "C")
		c_line(text)
	else if (language == "Python")
		python_line(text)
	else if (language == "Lua")
		lua_line(text)
	else if (language != "make")
		braces_line(text)
	if (next_in_string) {
		in_string = 1
		next_in_string = 0
	}
}

END { end_file() }
