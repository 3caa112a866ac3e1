"""GGUF files of random weights in shapes that an engine loads. They say nothing sensible; what they need is real."""
import random
import struct

F32, F16, Q4_K = 0, 1, 12
BLOCKS = {F32: (1, 4), F16: (1, 2), Q4_K: (256, 144)}


def text(words):
    data = words.encode()
    return struct.pack("<Q", len(data)) + data


def entry(key, value):
    if isinstance(value, int):
        return text(key) + struct.pack("<II", 4, value)
    if isinstance(value, float):
        return text(key) + struct.pack("<If", 6, value)
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    if isinstance(value[0], str):
        return text(key) + struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
    return text(key) + struct.pack("<IIQ", 9, 5, len(value)) + struct.pack(f"<{len(value)}i", *value)


def vocabulary(size):
    """Tokens and merges as GPT-2's tokenizer has them: each byte, then pairs of letters, then pairs with those, and an end."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    tokens = [chr(code) for code in shown] + [chr(256 + i) for i in range(256 - len(shown))]
    letters = [chr(code) for code in range(33, 127) if chr(code).isalpha()]
    words, merges, at = list(letters), [], 0
    while len(tokens) < size - 1:
        first, second = words[at // len(letters)], letters[at % len(letters)]
        at += 1
        tokens.append(first + second)
        words.append(first + second)
        merges.append(f"{first} {second}")
    return [*tokens, "<|end|>"], merges


def attention(block, shape):
    embedding, head = shape["embedding"], shape["head"]
    queries, keys = shape["heads"] * head, shape["kv_heads"] * head
    yield from ((block + "attn_norm.weight", (embedding,)), (block + "ffn_norm.weight", (embedding,)))
    yield from ((block + "attn_q.weight", (embedding, queries)), (block + "attn_k.weight", (embedding, keys)))
    yield from ((block + "attn_v.weight", (embedding, keys)), (block + "attn_output.weight", (queries, embedding)))
    if shape["architecture"] in ("gemma3", "qwen3"):
        yield from ((block + "attn_q_norm.weight", (head,)), (block + "attn_k_norm.weight", (head,)))
    if shape["architecture"] == "gemma3":
        yield from ((block + "post_attention_norm.weight", (embedding,)), (block + "post_ffw_norm.weight", (embedding,)))


def latent_attention(block, shape):
    """DeepSeek-V2 Lite's: `latent` elements for all heads, and `rope` with the position."""
    embedding, heads, latent, rope, head = (shape[key] for key in ("embedding", "heads", "latent", "rope", "head"))
    yield from ((block + "attn_norm.weight", (embedding,)), (block + "ffn_norm.weight", (embedding,)), (block + "attn_kv_a_norm.weight", (latent,)))
    yield from ((block + "attn_q.weight", (embedding, heads * (head + rope))), (block + "attn_kv_a_mqa.weight", (embedding, latent + rope)))
    yield from ((block + "attn_k_b.weight", (head, latent, heads)), (block + "attn_v_b.weight", (latent, head, heads)), (block + "attn_output.weight", (heads * head, embedding)))


def feed_forward(block, shape):
    embedding, inside, experts = shape["embedding"], shape["feed_forward"], shape.get("experts", 0)
    if not experts:
        return [(block + f"ffn_{name}.weight", (inside, embedding) if name == "down" else (embedding, inside)) for name in ("gate", "up", "down")]
    return [(block + "ffn_gate_inp.weight", (embedding, experts)), (block + "ffn_gate_exps.weight", (embedding, inside, experts)),
            (block + "ffn_up_exps.weight", (embedding, inside, experts)), (block + "ffn_down_exps.weight", (inside, embedding, experts))]


def recurrent(block, shape):
    """Mamba's."""
    embedding, state, conv, rank = shape["embedding"], shape["state"], shape["conv"], shape["rank"]
    inner = 2 * embedding
    yield from ((block + "attn_norm.weight", (embedding,)), (block + "ssm_in.weight", (embedding, 2 * inner)), (block + "ssm_conv1d.weight", (conv, inner)))
    yield from ((block + "ssm_conv1d.bias", (inner,)), (block + "ssm_x.weight", (inner, rank + 2 * state)), (block + "ssm_dt.weight", (rank, inner)))
    yield from ((block + "ssm_dt.bias", (inner,)), (block + "ssm_a", (state, inner)), (block + "ssm_d", (inner,)), (block + "ssm_out.weight", (inner, embedding)))


def tensors(shape):
    yield "token_embd.weight", (shape["embedding"], shape["vocabulary"])
    yield "output_norm.weight", (shape["embedding"],)
    for layer in range(shape["layers"]):
        block = f"blk.{layer}."
        if "state" in shape:
            yield from recurrent(block, shape)
        else:
            yield from (latent_attention if "latent" in shape else attention)(block, shape)
            yield from feed_forward(block, shape)


def metadata(shape):
    name = shape["architecture"]
    words, merges = vocabulary(shape["vocabulary"])
    own = {"context_length": shape.get("context", 32768), "embedding_length": shape["embedding"], "block_count": shape["layers"], "attention.layer_norm_rms_epsilon": 1e-6}
    if "state" in shape:
        own |= {"ssm.conv_kernel": shape["conv"], "ssm.inner_size": 2 * shape["embedding"], "ssm.state_size": shape["state"], "ssm.time_step_rank": shape["rank"],
                "feed_forward_length": 0, "attention.head_count": 0}
    else:
        own |= {"feed_forward_length": shape["feed_forward"], "attention.head_count": shape["heads"], "rope.freq_base": 10000.0}
    if "latent" in shape:
        latent, rope, head = shape["latent"], shape["rope"], shape["head"]
        own |= {"attention.head_count_kv": 1, "attention.kv_lora_rank": latent, "attention.key_length": latent + rope, "attention.value_length": latent, "rope.dimension_count": rope,
                "attention.key_length_mla": head + rope, "attention.value_length_mla": head, "leading_dense_block_count": shape["layers"], "expert_feed_forward_length": 64,
                "expert_shared_count": 1, "expert_count": 2, "expert_used_count": 1}
    elif "head" in shape:
        own |= {"attention.head_count_kv": shape["kv_heads"], "attention.key_length": shape["head"], "attention.value_length": shape["head"], "rope.dimension_count": shape["head"]}
    if "experts" in shape:
        own |= {"expert_count": shape["experts"], "expert_used_count": shape["used"]}
    if "window" in shape:
        own["attention.sliding_window"] = shape["window"]
    return {"general.architecture": name, "general.name": "made", **{f"{name}.{key}": value for key, value in own.items()}, "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "gpt-2",
            "tokenizer.ggml.tokens": words, "tokenizer.ggml.token_type": [1] * (len(words) - 1) + [3], "tokenizer.ggml.merges": merges,
            "tokenizer.ggml.eos_token_id": len(words) - 1, "tokenizer.ggml.bos_token_id": len(words) - 1}


def size_of(dimensions, kind):
    count = 1
    for dimension in dimensions:
        count *= dimension
    elements, size = BLOCKS[kind]
    return count // elements * size


def write_file(path, entries, whole, fill):
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(whole), len(entries)) + b"".join(entries))
        at = 0
        for name, dimensions, kind in whole:
            file.write(text(name) + struct.pack(f"<I{len(dimensions)}QIQ", len(dimensions), *dimensions, kind, at))
            at += -(-size_of(dimensions, kind) // 32) * 32
        file.write(bytes(-file.tell() % 32))
        for _, dimensions, kind in whole:
            size = size_of(dimensions, kind)
            file.write((fill[kind] * (size // len(fill[kind]) + 1))[:size] + bytes(-size % 32))


def of_split(number, count, tensors):
    """What gguf-split writes into each part."""
    return [text("split.no") + struct.pack("<IH", 2, number), text("split.count") + struct.pack("<IH", 2, count),
            text("split.tensors.count") + struct.pack("<Ii", 5, tensors)]


def write(path, shape, seed=1, parts=1):
    """A file of this shape. Matrices are F16, or of the type `quant`; what is small stays F32, as converters leave it. In several
    parts it is split as gguf-split does it; the first one's path is given."""
    source = random.Random(seed)
    half = b"".join(struct.pack("<e", source.uniform(-0.02, 0.02)) for _ in range(1 << 16))
    blocks = b"".join(struct.pack("<ee", 0.0005, 0.004) + source.randbytes(140) for _ in range(1 << 10))
    fill = {F32: struct.pack("<f", 1.0) * (1 << 14), F16: half, Q4_K: blocks}

    def kind_of(name, dimensions):
        small = len(dimensions) == 1 or name.endswith(("ffn_gate_inp.weight", "ssm_conv1d.weight", "ssm_a"))
        return F32 if small else shape.get("quant", F16)

    entries = [entry(*one) for one in metadata(shape).items()]
    whole = [(name, dimensions, kind_of(name, dimensions)) for name, dimensions in tensors(shape)]
    if parts == 1:
        write_file(path, entries, whole, fill)
        return path
    paths = [path.with_name(f"{path.stem}-{number + 1:05}-of-{parts:05}.gguf") for number in range(parts)]
    for number, part in enumerate(paths):
        share = whole[len(whole) * number // parts:len(whole) * (number + 1) // parts]
        write_file(part, (entries if number == 0 else []) + of_split(number, parts, len(whole)), share, fill)
    return paths[0]
