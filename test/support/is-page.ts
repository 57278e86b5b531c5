/** Whether a captured message can be acknowledged: a page or a reminder, and no notice of what became of an alert. */
export function isPage({ actions }: { readonly actions: readonly { readonly id: string }[] }): boolean {
  return actions.some(({ id }) => id === 'ack')
}
