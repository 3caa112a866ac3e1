"""Model servers as newcomers have them, as far as `tandem init` and `tandem doctor` look at them: what each product answers to
what it is asked, and nothing else (404). Their shapes are those of the products' own documentation."""
import http.server
import json
import threading


class Server:
    """`routes`: path -> body (JSON), or a function of the request's JSON, or (status, type, bytes)."""

    def __init__(self, routes, missing=(404, "application/json", b'{"error":"not found"}')):
        self.seen = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.seen.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                value = routes.get(self.path, missing)
                if callable(value):
                    value = value(json.loads(body or b"{}"))
                status, kind, raw = value if isinstance(value, tuple) else (200, "application/json", json.dumps(value).encode())
                self.send_response(status)
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.http.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def listing(*models, owner="owner"):
    return {"object": "list", "data": [{"id": m, "object": "model", "created": 1, "owned_by": owner} if isinstance(m, str) else m for m in models]}


def chat(said="Hello there"):
    return {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}


def anthropic(*models, listed=True):
    """A proxy that speaks Anthropic's dialect alone; one that is not `listed` has no list of models."""
    entries = [{"type": "model", "id": m, "display_name": m, "created_at": "2026-01-01T00:00:00Z"} for m in models]
    wrong = (400, "application/json", b'{"type":"error","error":{"type":"invalid_request_error","message":"model: Field required"}}')
    listing = {"/v1/models": {"data": entries, "has_more": False, "first_id": None, "last_id": None}}
    listing["/v1/models?limit=1000"] = listing["/v1/models"]
    return Server({**(listing if listed else {}), "/v1/messages": wrong})


OLLAMA = {
    "qwen2.5:7b": {"details": {"parameter_size": "7.6B"}, "capabilities": ["completion", "tools"], "parameters": "stop \"x\"\ntemperature 0.7",
                   "model_info": {"general.architecture": "qwen2", "general.parameter_count": 7615616512, "qwen2.context_length": 32768}},
    "llama3.2:1b": {"details": {"parameter_size": "1.2B"}, "capabilities": ["completion", "tools"], "parameters": "num_ctx                        8192",
                    "model_info": {"general.architecture": "llama", "general.parameter_count": 1235814432, "llama.context_length": 131072}},
    "nomic-embed-text:latest": {"details": {"parameter_size": "137M"}, "capabilities": ["embedding"],
                                "model_info": {"general.architecture": "nomic-bert", "general.parameter_count": 136727040, "nomic-bert.context_length": 2048}},
    "gpt-oss:120b-cloud": {"details": {"parameter_size": "116.8B"}, "capabilities": ["completion", "tools", "thinking"], "remote_model": "gpt-oss:120b", "remote_host": "https://ollama.com:443",
                           "model_info": {"general.architecture": "gptoss", "gptoss.context_length": 131072}},
}


def ollama(models=None):
    models = OLLAMA if models is None else models
    tags = []
    for name, show in models.items():
        tags.append({"name": name, "model": name, "size": 1, "digest": "d", "details": show.get("details", {}), **{k: show[k] for k in ("remote_model", "remote_host") if k in show}})
    return Server({"/": (200, "text/plain", b"Ollama is running"), "/api/version": {"version": "0.13.0"}, "/api/tags": {"models": tags}, "/api/ps": {"models": []},
                   "/v1/models": listing(*models, owner="library"), "/api/show": lambda asked: models.get(asked["model"]) or models.get(asked["model"] + ":latest") or (404, "application/json", b'{"error":"model not found"}'),
                   "/api/chat": lambda asked: {"model": asked["model"], "created_at": "2026-01-01T00:00:00Z", "message": {"role": "assistant", "content": "Hello from home"}, "done": True,
                                               "done_reason": "stop", "prompt_eval_count": 7, "eval_count": 3}})


def llama_server(name="/models/Qwen3-8B-Q4_K_M.gguf", context=16384, tools=True, vision=False, embeds=False):
    return Server({"/health": {"status": "ok"}, "/props": {"default_generation_settings": {"n_ctx": context, "params": {}}, "total_slots": 1, "model_path": name,
                                                           "chat_template": "{% if tools %}" if tools else "plain", "modalities": {"vision": vision, "audio": False}},
                   "/v1/models": {"models": [{"name": name, "model": name, "capabilities": ["completion"]}], **listing({"id": name, "object": "model", "created": 1, "owned_by": "llamacpp", "meta": {"n_ctx_train": 40960}})},
                   "/api/tags": {"models": [{"name": name, "model": name}]},
                   "/v1/embeddings": {"object": "list", "data": [{"embedding": [0.1], "index": 0}]} if embeds else (501, "application/json", b'{"error":{"code":501}}')})


def vllm(name="Qwen/Qwen2.5-32B-Instruct-AWQ", context=24576):
    return Server({"/version": {"version": "0.11.0"}, "/health": (200, "text/plain", b""), "/v1/models": listing({"id": name, "object": "model", "created": 1, "owned_by": "vllm", "root": name, "parent": None, "max_model_len": context}),
                   "/v1/chat/completions": chat("Hello from home")})


def lm_studio():
    models = [{"id": "qwen/qwen3-14b", "object": "model", "type": "llm", "state": "loaded", "max_context_length": 40960, "loaded_context_length": 12000, "capabilities": ["tool_use"]},
              {"id": "google/gemma-3-4b", "object": "model", "type": "vlm", "state": "not-loaded", "max_context_length": 131072},
              {"id": "text-embedding-nomic-embed-text-v1.5", "object": "model", "type": "embeddings", "state": "not-loaded", "max_context_length": 2048}]
    return Server({"/api/v0/models": {"object": "list", "data": models}, "/v1/models": listing(*[m["id"] for m in models], owner="organization_owner")})


def koboldcpp():
    return Server({"/api/extra/version": {"result": "KoboldCpp", "version": "1.100"}, "/api/extra/true_max_context_length": {"value": 12288}, "/v1/models": listing("koboldcpp/Gemma-3-12B", owner="koboldcpp"),
                   "/api/tags": {"models": [{"name": "koboldcpp", "model": "koboldcpp:latest"}]}, "/api/version": {"version": "0.7.0"}})


def text_generation_webui():
    return Server({"/v1/internal/model/info": {"model_name": "Mistral-7B-Instruct-v0.3.Q5_K_M.gguf", "lora_names": []}, "/v1/models": listing("gpt-3.5-turbo", "text-embedding-ada-002", owner="user")})


def web_page():
    """A web server that has nothing to do with models: an application whose every path is its page."""
    return Server({}, missing=(200, "text/html", b"<!doctype html><title>A page</title>"))
