// LINE's own SDK as one script, which sets `window.liff` as the one of LINE's network does.
import liff from "@line/liff";

window.liff = liff;
