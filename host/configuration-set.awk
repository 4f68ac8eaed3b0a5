# Reads the text of a configuration set. Prints its directives, one a line; writes the content of
# the Nth `file` to work/content.N. Complains with the line's number about what it does not know.
function complain(text) {
  # A content may be a secret.
  printf "line %d: %s: %s\n", FNR, text, /^[|]/ ? "(content)" : $0 > "/dev/stderr"
  bad = 1
}
function path_is_safe(path) {
  return path ~ /^\/[A-Za-z0-9_.@+\/-]*$/ && path !~ /(^|\/)\.\.?(\/|$)/
}
BEGIN {
  arguments["file"] = 3; arguments["directory"] = 3; arguments["made"] = 1
  arguments["group"] = 1; arguments["user"] = 2; arguments["filter"] = 2
  arguments["check"] = 1; arguments["run"] = 1; arguments["probe"] = 2
  arguments["enable"] = 1; arguments["restart"] = 1; arguments["try-restart"] = 1
  arguments["reload"] = 1
}
NR == 1 {
  if ($0 != "configuration-set 1 " name) complain("the first line must be \"configuration-set 1 " name "\"")
  next
}
/^[|]/ {
  if (content == "") complain("content without a file")
  else if ($0 == "|") print "" > content
  else if (substr($0, 2, 1) != " ") complain("a blank must follow the bar")
  else print substr($0, 3) > content
  next
}
content != "" { close(content); content = "" }
/^ *(#.*)?$/ { next }
{
  if (!($1 in arguments) || NF - 1 < arguments[$1]) { complain("not a line of a configuration set"); next }
  if ($1 ~ /^(file|directory|made|filter)$/ && !path_is_safe($2)) complain("not an absolute, plain path")
  if ($1 ~ /^(file|directory)$/ && NF != 4) complain("more words than a path, an owner and a mode")
  if ($1 ~ /^(file|directory)$/ && $4 !~ /^[0-7][0-7][0-7][0-7]$/) complain("not a mode of four digits")
  if ($1 == "file") {
    content = work "/content." (++files)
    printf "" > content
  }
  print
}
END {
  if (NR == 0) { print "the text is empty" > "/dev/stderr"; bad = 1 }
  exit bad
}
