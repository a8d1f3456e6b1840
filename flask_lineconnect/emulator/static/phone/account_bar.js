/** The account's name, its menu, and the bar that offers to add or unblock it. */

import { act } from "./client.js";
import { byId } from "./dom.js";
import { element } from "./dom.js";
import { texts } from "./page_data.js";

export class AccountBar {
  constructor({ toast }) {
    this.toast = toast;
    this.menu = byId("account-menu");
    this.menuButton = byId("account-menu-button");
    this.menuButton.addEventListener("click", () => this.#showMenu(this.menu.hidden));
    document.addEventListener("click", (event) => {
      if (!this.menu.contains(event.target) && !this.menuButton.contains(event.target)) {
        this.#showMenu(false);
      }
    });
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#showMenu(false);
    });
  }

  update(account, app) {
    byId("account-name").textContent = account?.display_name ?? "";
    if (!account || (account.relation === this.relation && app?.name === this.app?.name)) return;
    this.relation = account.relation;
    this.app = app;
    const offers = {
      none: [texts.not_a_friend, [this.#button("friend", texts.add, "main"), this.#button("block", texts.block)]],
      blocked: [texts.is_blocked, [this.#button("unblock", texts.unblock, "main")]],
    };
    const bar = byId("relation-bar");
    const offer = offers[account.relation];
    bar.hidden = !offer;
    if (offer) bar.replaceChildren(element("span", { text: offer[0] }), ...offer[1]);
    this.menu.replaceChildren(
      element("p", { text: `${texts.official_account} ${account.basic_id}` }),
      ...this.#menuButtons(account.relation),
      ...this.#appButtons(app),
    );
  }

  #menuButtons(relation) {
    if (relation === "blocked") return [this.#button("unblock", texts.unblock)];
    if (relation === "friend") return [this.#button("block", texts.block)];
    return [this.#button("friend", texts.add), this.#button("block", texts.block)];
  }

  /** What LINE's settings call authorized apps: the login channel, once it has the user's consent. */
  #appButtons(app) {
    if (!app) return [];
    return [
      element("p", { text: `${texts.authorized_app} ${app.name}` }),
      this.#button("unlink-app", texts.unlink_app),
    ];
  }

  #button(what, text, className) {
    const press = () => {
      this.#showMenu(false);
      act(what).catch(() => this.toast(texts.failed));
    };
    return element("button", { type: "button", class: className, text, on: { click: press } });
  }

  #showMenu(isOpen) {
    this.menu.hidden = !isOpen;
    this.menuButton.setAttribute("aria-expanded", String(isOpen));
  }
}
