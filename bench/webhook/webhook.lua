-- Signed bodies made beforehand, one a line: the signature, a tab, the body. Each is sent once; when
-- they are used up they come again, as duplicates.
local bodies = {}
local threads = 0

function setup(thread)
  thread:set("number", threads)
  threads = threads + 1
end

function init(args)
  for line in io.lines(args[1]) do
    local signature, body = line:match("^([^\t]+)\t(.*)$")
    bodies[#bodies + 1] = wrk.format("POST", "/line/webhook", {
      ["Content-Type"] = "application/json; charset=utf-8",
      ["X-Line-Signature"] = signature,
    }, body)
  end
  position = 0
end

function request()
  position = position % #bodies + 1
  return bodies[position]
end
