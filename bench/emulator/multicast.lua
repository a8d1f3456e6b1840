-- One multicast to 500 users in each request; the token comes from the environment.
local token = os.getenv("LINE_TOKEN")
local ids = {}
for number = 1, 500 do ids[number] = string.format('"U%032x"', number) end
local head = '{"to":[' .. table.concat(ids, ",") .. '],"messages":[{"type":"text","text":"'
local count = 0
request = function()
  count = count + 1
  return wrk.format("POST", "/v2/bot/message/multicast",
    { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" },
    head .. 'セール ' .. count .. '"}]}')
end
