/** How the board reaches the broker; an empty payload clears the topic. */
export type BoardPublish = (topic: string, payload: string, options: { readonly retain: true }) => void
