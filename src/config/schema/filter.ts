import Type from 'typebox'
import { REDACTIONS } from '../../router/redaction.ts'
import { closed, optionalText } from './fields.ts'

const Block = Type.Object(
  {
    from: optionalText('User or client id; `*` stands for any characters'),
    topic: optionalText('Topic filter such as `notifications/#`'),
    reason: optionalText('What the sender is told'),
  },
  closed,
)

export const Filter = Type.Object(
  {
    block: Type.Array(Block, {
      default: [],
      description: 'Senders whose publishes become dead letters, all of them or those to these topics',
    }),
    redact: Type.Array(Type.Enum([...REDACTIONS]), {
      default: [],
      description:
        'What is taken out of titles, texts, notes and data: payment card numbers; passwords, tokens and keys',
    }),
  },
  { ...closed, default: {}, description: 'What messages to the own topics must not come from or contain' },
)
