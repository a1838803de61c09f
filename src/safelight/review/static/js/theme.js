// Runs before the page is painted, so that a light page never flashes dark. Dark is the default, for judging colour.
document.documentElement.dataset.theme = localStorage.getItem("safelight.theme") === "light" ? "light" : "dark";
