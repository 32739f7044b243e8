/**
 * Runs inside a browser: what stands out of the page, is too small for a finger, or too pale to read.
 * Contrast as WCAG 2.2 §1.4.3 measures it; the size of targets goes beyond §2.5.8.
 */
export function pageFaults(leastPixels, leastContrast) {
  const faults = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`wider than its window: ${scrollWidth} of ${clientWidth}`);
  for (const one of document.querySelectorAll("a, button, input:not([type=hidden]), select")) {
    const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
    const name = one.textContent || one.getAttribute("name");
    if (height < leastPixels || width < leastPixels)
      faults.push(`${name}: ${Math.round(width)} by ${Math.round(height)} pixels`);
  }
  for (const one of document.querySelectorAll("h1, p, a, b, small, label, legend, button, input")) {
    if (!one.checkVisibility()) continue;
    const front = luminance(channels(getComputedStyle(one).color));
    const back = luminance(behind(one));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    if (ratio < leastContrast)
      faults.push(`${one.tagName} ${one.textContent.slice(0, 30)}: contrast ${ratio.toFixed(2)}`);
  }
  return faults;

  function channels(color) {
    return (color.match(/[\d.]+/g) ?? []).map(Number);
  }
  function luminance(color) {
    const [red, green, blue] = color.map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  }
  function behind(one) {
    for (let at = one; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  }
}
