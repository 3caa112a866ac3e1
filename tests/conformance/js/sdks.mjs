// Official JavaScript SDKs against Tandem; run by js_test.py, which gives TANDEM_URL and TANDEM_KEY. Each line of output is
// the name of a check that held; the first that does not ends the program.
import assert from 'node:assert/strict'
import Anthropic from '@anthropic-ai/sdk'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { GoogleGenAI } from '@google/genai'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { Ollama } from 'ollama'
import OpenAI, { toFile } from 'openai'

const url = process.env.TANDEM_URL
const key = process.env.TANDEM_KEY
const TEXT = 'Hello — wörld 😀 "quoted" \\ and\na second line'
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }

async function check(name, run) {
    await run()
    console.log(name)
}

const openai = new OpenAI({ baseURL: url + '/v1', apiKey: key, maxRetries: 0 })
await check('openai chat', async () => {
    const answer = await openai.chat.completions.create({ model: 'small', max_tokens: 8, messages: [{ role: 'user', content: 'Say hi.' }] })
    assert.ok(answer.choices[0].message.content)
    let text = ''
    for await (const chunk of await openai.chat.completions.create({ model: 'm-anthropic', stream: true, messages: [{ role: 'user', content: 'scenario:text' }] }))
        text += chunk.choices[0]?.delta?.content ?? ''
    assert.equal(text, TEXT)
    const calls = await openai.chat.completions.stream({ model: 'm-gemini', messages: [{ role: 'user', content: 'scenario:calls' }],
        tools: [{ type: 'function', function: { name: 'get_weather', parameters: city } }] }).finalChatCompletion()
    assert.deepEqual(calls.choices[0].message.tool_calls.map((c) => c.function.name), ['get_weather', 'get_time'])
})
await check('openai responses', async () => {
    const first = await openai.responses.create({ model: 'm-anthropic', input: 'scenario:think' })
    assert.equal(first.output_text, '42')
    assert.equal((await openai.responses.retrieve(first.id)).output_text, '42')
    const events = []
    for await (const event of openai.responses.stream({ model: 'm-ollama', input: 'scenario:text', previous_response_id: first.id })) events.push(event.type)
    assert.equal(events.at(-1), 'response.completed')
    await openai.responses.delete(first.id)
})
await check('openai embeddings', async () => {
    const answer = await openai.embeddings.create({ model: 'embed', input: ['a cat', 'a dog'] })
    assert.equal(answer.data.length, 2)
    assert.ok(answer.data[0].embedding.length > 100)
})
await check('openai files and batches', async () => {
    const line = { custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'small', max_tokens: 4, messages: [{ role: 'user', content: 'Hi' }] } }
    const file = await openai.files.create({ file: await toFile(Buffer.from(JSON.stringify(line) + '\n'), 'in.jsonl'), purpose: 'batch' })
    let batch = await openai.batches.create({ input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' })
    while (batch.status === 'in_progress') {
        await new Promise((resolve) => setTimeout(resolve, 20))
        batch = await openai.batches.retrieve(batch.id)
    }
    assert.equal(batch.status, 'completed')
    const out = await (await openai.files.content(batch.output_file_id)).text()
    assert.equal(JSON.parse(out).custom_id, 'a')
})

const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 })
await check('anthropic', async () => {
    const answer = await anthropic.messages.create({ model: 'small', max_tokens: 8, messages: [{ role: 'user', content: 'Say hi.' }] })
    assert.equal(answer.content[0].type, 'text')
    const stream = anthropic.messages.stream({ model: 'm-openai-responses', max_tokens: 200, messages: [{ role: 'user', content: 'scenario:calls' }],
        tools: [{ name: 'get_weather', input_schema: city }] })
    const final = await stream.finalMessage()
    assert.deepEqual(final.content.map((b) => b.input), [{ city: 'Köln "am Rhein"', days: 1.5 }, {}])
    assert.ok((await anthropic.messages.countTokens({ model: 'small', messages: [{ role: 'user', content: 'Count me.' }] })).input_tokens > 3)
})

const ollama = new Ollama({ host: url, headers: { Authorization: 'Bearer ' + key } })
await check('ollama', async () => {
    const answer = await ollama.chat({ model: 'small', messages: [{ role: 'user', content: 'Say hi.' }], options: { num_predict: 8 } })
    assert.ok(answer.message.content)
    let text = ''
    for await (const piece of await ollama.chat({ model: 'm-openai-chat', stream: true, messages: [{ role: 'user', content: 'scenario:text' }] })) text += piece.message.content
    assert.equal(text, TEXT)
    assert.equal((await ollama.embed({ model: 'embed', input: 'a cat' })).embeddings.length, 1)
    assert.ok((await ollama.list()).models.some((m) => m.name === 'small'))
})

const genai = new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: url } })
await check('google genai', async () => {
    const answer = await genai.models.generateContent({ model: 'small', contents: 'Say hi.', config: { maxOutputTokens: 8 } })
    assert.ok(answer.text)
    let text = ''
    for await (const piece of await genai.models.generateContentStream({ model: 'm-ollama', contents: 'scenario:text' })) text += piece.text ?? ''
    assert.equal(text, TEXT)
})

await check('vercel ai', async () => {
    const weather = tool({ description: 'The weather', inputSchema: jsonSchema(city), execute: async () => 'sunny' })
    const throughOpenAI = createOpenAI({ baseURL: url + '/v1', apiKey: key })
    const throughAnthropic = createAnthropic({ baseURL: url + '/v1', apiKey: key })
    for (const model of [throughOpenAI('m-anthropic'), throughOpenAI.chat('m-gemini'), throughAnthropic('m-openai-chat')]) {
        assert.equal((await generateText({ model, prompt: 'scenario:text' })).text, TEXT)
        const result = await generateText({ model, prompt: 'scenario:call', tools: { get_weather: weather }, stopWhen: stepCountIs(1) })
        assert.equal(result.toolCalls[0].input.city, 'Köln "am Rhein"')
        let text = ''
        for await (const piece of streamText({ model, prompt: 'scenario:text' }).textStream) text += piece
        assert.equal(text, TEXT)
    }
})
