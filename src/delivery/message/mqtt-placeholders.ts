/** What the payloads of `channels.mqtt.topics` may hold as `{{name}}`. */
export const MQTT_PLACEHOLDERS = [
  'id',
  'type',
  'severity',
  'status',
  'title',
  'message',
  'source',
  'step',
] as const
export type MqttPlaceholder = (typeof MQTT_PLACEHOLDERS)[number]
