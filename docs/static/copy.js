// A button in each block of code that copies it, without the prompts of a session.
document.addEventListener("DOMContentLoaded", () => {
  for (const block of document.querySelectorAll("div.highlight")) {
    if (block.closest(".output")) continue;
    const button = document.createElement("button");
    button.className = "copy";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const lines = block.querySelector("pre").innerText.split("\n");
      const session = lines.some((line) => line.startsWith(">>> "));
      const code = session ? lines.filter((line) => /^(>>>|\.\.\.)/.test(line)).map((line) => line.slice(4)) : lines;
      await navigator.clipboard.writeText(code.join("\n").trimEnd());
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    block.append(button);
  }
});
