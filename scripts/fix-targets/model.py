#!/usr/bin/env python3
"""A stand-in for a model, on loopback only: answers real agent CLIs from a file, by the words of their last prompt.

    model.py ANSWERS LOG

It speaks as much of Anthropic Messages and OpenAI Responses as Claude Code and Codex need, streaming. ANSWERS is a JSON list
of {"when": [WORDS], "steps": [STEP], "say": TEXT}; the first whose words all stand in the prompt answers it, a tool call after
the other, then the text. A STEP is {"edit": FILE, "find", "replace"} of whole lines, {"write": FILE, "text"} of a file that is
there, or {"run": COMMAND}. The port is printed on the first line of the output. LOG gets a JSON line per prompt, per answer, and per attempt to go through this
server to somewhere else, which is refused: whoever points a proxy variable here cannot leave the machine.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Script:
    """The answers, and which prompt got which."""

    def __init__(self, answers, log):
        self.answers = json.loads(Path(answers).read_text())
        self.log, self.lock = Path(log), threading.Lock()
        self.given = {}

    def note(self, **line):
        with self.lock, self.log.open("a") as log:
            log.write(json.dumps(line) + "\n")

    def answer(self, where, nth, prompt):
        """The answer to the nth prompt of the conversation in a directory: the same however often it is asked."""
        with self.lock:
            key = (where, nth, prompt)
            if key in self.given:
                return self.given[key]
            for n, answer in enumerate(self.answers):
                if all(words in prompt for words in answer["when"]):
                    break
            else:
                n, answer = None, {"steps": [], "say": "The script has no answer to this."}
            self.given[key] = answer
        self.note(what="prompt", where=where, nth=nth, text=prompt, answer=n)
        return answer


def words(content):
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content if isinstance(part.get("text"), str))


def title(schema):
    """What is said where no tool is offered: a title of the conversation, in the shape that is asked for."""
    names = list((schema or {}).get("properties", {}))
    return json.dumps({name: "A scripted task" for name in names}) if names else "A scripted task"


class Anthropic:
    """One request in Anthropic's words."""

    def __init__(self, body):
        self.body = body
        self.tools = {tool.get("name") for tool in body.get("tools") or []}
        form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        self.schema = form.get("schema")
        self.prompts, self.done, self.last = [], 0, None
        for message in body.get("messages", []):
            if message.get("role") != "user":
                continue
            content = message["content"] if isinstance(message["content"], list) else [{"type": "text", "text": message["content"]}]
            results = sum(part.get("type") == "tool_result" for part in content)
            text = re.sub(r"<system-reminder>.*?</system-reminder>", "", words(content), flags=re.S).strip()
            if results:
                self.done += results
                self.last = json.dumps(content)
            elif text:
                self.prompts.append(text)
                self.done = 0

    def where(self):
        whole = words(self.body.get("system") or "") + "\n".join(words(m["content"]) for m in self.body.get("messages", []))
        found = re.search(r"working directory: (/[^\n\"]+)", whole, flags=re.I)
        return found.group(1).strip() if found else "/"

    def calls(self, answer):
        for step in answer["steps"]:
            if "run" in step:
                yield "Bash", {"command": step["run"], "description": "As the script says"}
                continue
            path = f"{self.where()}/{step.get('edit') or step['write']}"
            # It refuses to change what it has not read.
            yield "Read", {"file_path": path}
            if "edit" in step:
                yield "Edit", {"file_path": path, "old_string": step["find"], "new_string": step["replace"]}
            else:
                yield "Write", {"file_path": path, "content": step["text"]}

    def events(self, text, call, n):
        model, usage = self.body.get("model", "stand-in"), {"input_tokens": 100, "output_tokens": 10}
        yield {"type": "message_start", "message": {
            "id": f"msg_{n:06}", "type": "message", "role": "assistant", "model": model, "content": [], "stop_reason": None,
            "stop_sequence": None, "usage": usage}}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        yield {"type": "content_block_stop", "index": 0}
        if call:
            block = {"type": "tool_use", "id": f"toolu_{n:06}", "name": call[0], "input": {}}
            yield {"type": "content_block_start", "index": 1, "content_block": block}
            yield {"type": "content_block_delta", "index": 1,
                   "delta": {"type": "input_json_delta", "partial_json": json.dumps(call[1])}}
            yield {"type": "content_block_stop", "index": 1}
        reason = "tool_use" if call else "end_turn"
        yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": {"output_tokens": 10}}
        yield {"type": "message_stop"}

    def whole(self, text, call, n):
        content = [{"type": "text", "text": text}]
        if call:
            content.append({"type": "tool_use", "id": f"toolu_{n:06}", "name": call[0], "input": call[1]})
        return {"id": f"msg_{n:06}", "type": "message", "role": "assistant", "model": self.body.get("model", "stand-in"),
                "content": content, "stop_reason": "tool_use" if call else "end_turn", "stop_sequence": None,
                "usage": {"input_tokens": 100, "output_tokens": 10}}


class Responses:
    """One request in the words of OpenAI's Responses."""

    def __init__(self, body):
        self.body = body
        self.tools = {tool.get("name") or tool.get("type"): tool for tool in body.get("tools") or []}
        form = (body.get("text") or {}).get("format") or {}
        self.schema = form.get("schema")
        self.prompts, self.done, self.context, self.last = [], 0, "", None
        for item in body.get("input", []):
            kind = item.get("type", "message")
            if kind.endswith("_output"):
                self.done += 1
                self.last = json.dumps(item.get("output"))
            if kind == "message" and item.get("role") == "user":
                text = words(item["content"]).strip()
                if text.startswith("<"):
                    self.context += text
                elif text:
                    self.prompts.append(text)
                    self.done = 0

    def where(self):
        found = re.search(r"<cwd>([^<]+)</cwd>", self.context)
        return found.group(1).strip() if found else "/"

    def calls(self, answer):
        for step in answer["steps"]:
            if "run" in step:
                command = step["run"]
            elif "edit" in step:
                old, new = ([sign + line for line in step[key].split("\n")] for sign, key in (("-", "find"), ("+", "replace")))
                patch = ["*** Begin Patch", f"*** Update File: {step['edit']}", "@@", *old, *new, "*** End Patch"]
                command = "\n".join(["apply_patch <<'PATCH'", *patch, "PATCH", ""])
            else:
                command = f"cat >{step['write']} <<'TEXT'\n{step['text']}TEXT\n"
            yield "exec_command", {"cmd": command}

    def item(self, call, n):
        return {"type": "function_call", "id": f"fc_{n}", "call_id": f"call_{n}", "name": call[0],
                "arguments": json.dumps(call[1]), "status": "completed"}

    def output(self, text, call, n):
        message = {"type": "message", "id": f"msg_{n}", "role": "assistant", "status": "completed",
                   "content": [{"type": "output_text", "text": text, "annotations": []}]}
        return [message] + ([self.item(call, n)] if call else [])

    def response(self, n, output, status):
        usage = {"input_tokens": 100, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 10,
                 "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 110}
        return {"id": f"resp_{n:06}", "object": "response", "created_at": 0, "model": self.body.get("model"), "status": status,
                "output": output, "tools": [], "parallel_tool_calls": False, "error": None, "usage": usage}

    def events(self, text, call, n):
        output = self.output(text, call, n)
        yield {"type": "response.created", "response": self.response(n, [], "in_progress")}
        for at, item in enumerate(output):
            begun = {**item, "status": "in_progress", **({"content": []} if item["type"] == "message" else {})}
            yield {"type": "response.output_item.added", "output_index": at, "item": begun}
            if item["type"] == "message":
                yield {"type": "response.output_text.delta", "item_id": item["id"], "output_index": at, "content_index": 0,
                       "delta": text}
            yield {"type": "response.output_item.done", "output_index": at, "item": item}
        yield {"type": "response.completed", "response": self.response(n, output, "completed")}

    def whole(self, text, call, n):
        return self.response(n, self.output(text, call, n), "completed")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    script = None
    lock, requests = threading.Lock(), 0

    def log_message(self, *_):
        """The log is a file of its own."""

    def reply(self, code, value):
        body = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def do_CONNECT(self):
        self.script.note(what="refused", target=self.path)
        self.close_connection = True
        self.send_error(403)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        if self.path.startswith("http"):
            return self.do_CONNECT()
        return self.reply(200, {"data": [], "models": [], "has_more": False})

    def do_POST(self):
        if self.path.startswith("http"):
            return self.do_CONNECT()
        body = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
        path = self.path.split("?")[0]
        if path.endswith("/count_tokens"):
            return self.reply(200, {"input_tokens": 100})
        if path.endswith("/messages"):
            request = Anthropic(body)
        elif path.endswith("/responses"):
            request = Responses(body)
        else:
            self.script.note(what="unknown", path=path)
            return self.reply(404, {"error": {"type": "not_found_error", "message": "the stand-in does not know this"}})
        with Handler.lock:
            Handler.requests += 1
            n = Handler.requests
        if not request.tools or request.schema or not request.prompts:
            text, call = title(request.schema), None
        else:
            answer = self.script.answer(request.where(), len(request.prompts), request.prompts[-1])
            calls = list(request.calls(answer))
            call = calls[request.done] if request.done < len(calls) else None
            text = "I look into it." if call else answer["say"]
            self.script.note(what="answer", where=request.where(), step=request.done, of=len(calls), tool=call and call[0],
                             last=request.last and request.last[:1000])
        if body.get("stream"):
            return self.stream(request.events(text, call, n))
        return self.reply(200, request.whole(text, call, n))


class Server(ThreadingHTTPServer):
    """A thread a connection; none keeps it from ending."""

    daemon_threads = True


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Handler.script = Script(*sys.argv[1:])
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
