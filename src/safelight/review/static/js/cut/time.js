// Times as editors read them. Frames are counted from 0; a clock's last field is the frame within its second.

/** @param {number} n */
const two = (n) => String(Math.floor(n)).padStart(2, "0");

/** A rate as a number, from "25" or "30000/1001". @param {string} text */
export function rateOf(text) {
  const [up, down] = text.split("/").map(Number);
  return up / (down || 1);
}

/** 0:12:05:13, hours only where there are some. @param {number} frame @param {number} rate */
export function clock(frame, rate) {
  const whole = Math.round(rate) || 1;
  const [left, s] = [frame % whole, Math.floor(frame / whole)];
  const hours = Math.floor(s / 3600);
  return `${hours ? `${hours}:` : ""}${two((s / 60) % 60)}:${two(s % 60)}:${two(left)}`;
}

/** 1:02:03, or 2:03.4 where tenths count. @param {number} seconds @param {boolean} [tenths] */
export function short(seconds, tenths = false) {
  const s = tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds);
  const hours = Math.floor(s / 3600);
  const rest = tenths ? (s % 60).toFixed(1).padStart(4, "0") : two(s % 60);
  return hours ? `${hours}:${two((s / 60) % 60)}:${rest}` : `${Math.floor(s / 60)}:${rest}`;
}

/** 2:03.480, as captions count. @param {number} seconds */
export function clockOf(seconds) {
  const ms = Math.round(seconds * 1000);
  const [hours, minutes] = [Math.floor(ms / 3600000), Math.floor(ms / 60000) % 60];
  const rest = ((ms % 60000) / 1000).toFixed(3).padStart(6, "0");
  return hours ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** Seconds of what `clockOf` writes; null for anything else. @param {string} text */
export function secondsOf(text) {
  const found = /^(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d+)?)$/.exec(text.trim());
  return found ? Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3].replace(",", ".")) : null;
}

/** 0.84 s, 12.3 s, 3:07. @param {number} seconds */
export const lasting = (seconds) => (seconds < 10 ? `${seconds.toFixed(2)} s` : seconds < 60 ? `${seconds.toFixed(1)} s` : short(seconds));

/** The first place in sorted numbers whose value is above `value`. @param {number} count @param {(i: number) => number} at @param {number} value */
export function above(count, at, value) {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (at(middle) > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
