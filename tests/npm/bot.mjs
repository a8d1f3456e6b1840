// The official SDK for Node, told only another base URL: one call of each kind, answers on stdout.
import { channelAccessToken, messagingApi, validateSignature } from "@line/bot-sdk";
import { readFileSync } from "node:fs";

const { baseURL, channelId, channelSecret, userId, replyToken, image, webhook } = JSON.parse(
  readFileSync(0, "utf-8"),
);
const tokens = new channelAccessToken.ChannelAccessTokenClient({ baseURL });
const { access_token: token } = await tokens.issueStatelessChannelTokenByClientSecret(
  channelId,
  channelSecret,
);
const bot = new messagingApi.MessagingApiClient({ channelAccessToken: token, baseURL });
const blob = new messagingApi.MessagingApiBlobClient({ channelAccessToken: token, baseURL });
const text = (words) => [{ type: "text", text: words }];

const answers = {};
answers.reply = await bot.replyMessage({ replyToken, messages: text("返事") });
answers.push = await bot.pushMessage({ to: userId, messages: text("プッシュ") });
answers.multicast = await bot.multicast({ to: [userId], messages: text("同報") });
answers.broadcast = await bot.broadcast({ messages: text("全員へ") });
answers.validate = await bot.validatePush({ messages: text("確認") });
answers.refused = await bot.pushMessage({ to: userId, messages: text("") }).catch((error) => ({
  status: error.status,
  body: JSON.parse(error.body),
}));
answers.quota = await bot.getMessageQuota();
answers.consumption = await bot.getMessageQuotaConsumption();
answers.profile = await bot.getProfile(userId);
const area = { bounds: { x: 0, y: 0, width: 800, height: 540 }, action: { type: "message", text: "や" } };
const menu = { size: { width: 800, height: 540 }, selected: true, name: "a", chatBarText: "b", areas: [area] };
const { richMenuId } = await bot.createRichMenu(menu);
const png = new Blob([Buffer.from(image, "base64")], { type: "image/png" });
answers.image = await blob.setRichMenuImage(richMenuId, png);
answers.setDefault = await bot.setDefaultRichMenu(richMenuId);
answers.default = await bot.getDefaultRichMenuId();
answers.menus = (await bot.getRichMenuList()).richmenus.length;
answers.linkToken = typeof (await bot.issueLinkToken(userId)).linkToken;
answers.signature = validateSignature(webhook.body, channelSecret, webhook.signature);
answers.forged = validateSignature(`${webhook.body} `, channelSecret, webhook.signature);
console.log(JSON.stringify(answers));
