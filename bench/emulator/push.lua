-- One push to one of 1,000 users in each request; the token comes from the environment.
local token = os.getenv("LINE_TOKEN")
local count = 0
request = function()
  count = count + 1
  local to = string.format("U%032x", count % 1000 + 1)
  local body = '{"to":"' .. to .. '","messages":[{"type":"text","text":"発送しました ' .. count .. '"}]}'
  return wrk.format("POST", "/v2/bot/message/push",
    { ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json" }, body)
end
