/** One line of a table for `mount --all --fstab`: many mounts for the price of one process. */
export function fstabLine(source: string, target: string, options: string): string {
  return `${escaped(source)} ${escaped(target)} none ${options} 0 0\n`;
}

/** The line of an overlay: `upper` holds what differs from `lower`; `work` is the kernel's scratch. */
export function overlayLine(
  target: string,
  layers: { readonly lower: string; readonly upper: string; readonly work: string },
): string {
  const { lower, upper, work } = layers;
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work},userxattr`;
  return `overlay ${escaped(target)} overlay ${escaped(options)} 0 0\n`;
}

function escaped(field: string): string {
  return field.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
