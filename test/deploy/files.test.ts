import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Ajv } from 'ajv'
import { expect } from 'chai'
import { Deployment } from 'kubernetes-models/apps/v1'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1'
import { ConfigMap, Namespace, Secret, Service } from 'kubernetes-models/v1'
import { parse, parseAllDocuments } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'

const require = createRequire(import.meta.url)
const KINDS = { Namespace, Secret, ConfigMap, Deployment, Service, PodDisruptionBudget }

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly image?: string
        readonly ports?: readonly string[]
        readonly volumes?: readonly string[]
        readonly healthcheck?: object
        readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
      }
    >
  >
  readonly volumes: Readonly<Record<string, null>>
}

interface Resource {
  readonly apiVersion: string
  readonly kind: keyof typeof KINDS
  readonly data?: Readonly<Record<string, string>>
  readonly stringData?: Readonly<Record<string, string>>
}

const composeText = readFileSync('docker-compose.yml', 'utf8')
const compose = parse(composeText) as Compose
const manifest = parseAllDocuments(readFileSync('deploy/kubernetes.yaml', 'utf8')).map(
  (document) => document.toJS() as Resource,
)

describe('What is deployed', () => {
  let secrets: string
  before(() => {
    secrets = mkdtempSync(join(tmpdir(), 'carillon-secrets-'))
  })
  after(() => rmSync(secrets, { recursive: true }))

  const makeSecrets = () =>
    spawnSync(process.execPath, ['deploy/make-secrets.mjs', secrets], { encoding: 'utf8' })
  const load = (text: string) =>
    loadConfig({
      text: text.replaceAll('/run/carillon', secrets),
      env: { CARILLON_HOST: '0.0.0.0', CARILLON_DATA: '/data' },
      flags: {},
    })

  it('is a compose file that is valid by the schema of compose', () => {
    const file = join(dirname(require.resolve('dclint/package.json')), 'schemas/compose.schema.json')
    // It names its draft by an address that Ajv does not know; the draft is the one that Ajv speaks.
    const { $schema: _, ...schema } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
    const validate = new Ajv({ strict: false, formats: { duration: true, uri: true } }).compile(schema)
    expect(validate(compose), JSON.stringify(validate.errors)).to.equal(true)
    expect(validate({ services: { carillon: { imagee: 'x' } } }), 'a misspelt key').to.equal(false)
  })

  it('starts two nodes, MongoDB, Redis, a mail catcher and a load balancer, each with a health check', () => {
    const { secrets: once, ...lasting } = compose.services
    expect(Object.keys(lasting).toSorted()).to.deep.equal(['balancer', 'carillon', 'mail', 'mongo', 'redis'])
    for (const [name, service] of Object.entries(lasting))
      expect(service.healthcheck, name).to.be.an('object')
    expect(composeText).to.match(/replicas: 2/)
    expect(once?.image).to.match(/^node:/)
  })

  it('names only volumes, files and services that exist, and publishes no port to other machines', () => {
    for (const [name, service] of Object.entries(compose.services)) {
      for (const volume of service.volumes ?? []) {
        const [from = ''] = volume.split(':')
        if (from.startsWith('./')) expect(statSync(from).isFile(), volume).to.equal(true)
        else expect(compose.volumes, volume).to.have.property(from)
      }
      for (const other of Object.keys(service.depends_on ?? {}))
        expect(compose.services).to.have.property(other)
      for (const port of service.ports ?? []) expect(port, name).to.match(/^127\.0\.0\.1:/)
    }
  })

  it('makes passwords of its own once and keeps them', () => {
    const first = makeSecrets()
    expect(first.status, first.stderr).to.equal(0)
    const again = makeSecrets()
    expect(again.stdout).to.equal(first.stdout)
    expect(statSync(join(secrets, 'mongo-keyfile')).mode & 0o777).to.equal(0o400)
  })

  it('has a configuration that the program takes, with those passwords', () => {
    makeSecrets()
    const loaded = load(readFileSync('deploy/carillon.yaml', 'utf8'))
    expect(loaded.ok ? [] : loaded.faults).to.deep.equal([])
  })

  it('is a Kubernetes manifest in which every resource is valid by its schema', () => {
    for (const resource of manifest) {
      const Kind = KINDS[resource.kind]
      // The schemas are looked up by kind; the compiler cannot know that this is the one.
      new Kind(resource as never).validate()
    }
    expect(() => new Deployment({ spec: { replicas: 'two' } } as never).validate()).to.throw()
    expect(manifest.map(({ kind }) => kind)).to.include.members([
      'Deployment',
      'Service',
      'PodDisruptionBudget',
    ])
  })

  it('refuses to run with the passwords that the Kubernetes manifest leaves to be replaced', () => {
    makeSecrets()
    const text = manifest.find(({ kind }) => kind === 'ConfigMap')?.data?.['carillon.yaml'] ?? ''
    expect(load(text).ok).to.equal(true)
    const kept = manifest.find(({ kind }) => kind === 'Secret')?.stringData ?? {}
    const untouched = load(text.replace(/password_file: [^,]+/, `password: ${kept['admin-password']}`))
    expect(untouched.ok).to.equal(false)
  })
})
