"use strict";
const board = document.getElementById("board"), closing = document.getElementById("closing"), said = closing.textContent;
let stamp = "";
async function look() {
  try {
    const answer = await fetch("board.json?since=" + stamp, { cache: "no-store" });
    const news = await answer.json();
    if (news.html !== undefined) { board.innerHTML = news.html; stamp = news.stamp; }
    closing.textContent = said;
  } catch (error) {
    closing.textContent = "The board is not served any more: what stands here is what was last known.";
  }
  setTimeout(look, 3000);
}
look();
