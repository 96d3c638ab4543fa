/** Replaces `$(NAME)` by the variable's value; unknown names stay as they are, `$$` is a plain `$`. */
export function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$(\$|\(([^)]*)\))/g, (whole, escape: string, name: string | undefined) => {
    if (escape === '$') return '$';
    return (name === undefined ? undefined : variables[name]) ?? whole;
  });
}
