"""More programs that people use, headless and set up by what `tandem connect` writes or prints and by nothing else: a task in which a
file is written by the program's own tool, and a second turn of the same session, before providers in two dialects that are not its own."""
import textwrap
import unittest

from agents import BIN, LANGCHAIN, Sessions

TASK = "TASK: write note.txt"
AGAIN = "Was it done?"


class Agents(Sessions, unittest.TestCase):
    def test_qwen_code(self):
        for behind in ("anthropic", "gemini"):
            run = [BIN / "qwen", "--yolo"]
            self.session("qwen-code", behind, [*run, "-p", TASK], [*run, "--continue", "-p", AGAIN])

    def test_continue(self):
        for behind in ("anthropic", "gemini"):
            run = [BIN / "cn", "--auto"]
            self.session("continue", behind, [*run, "-p", TASK], [*run, "--resume", "-p", AGAIN])

    def test_pi(self):
        for behind in ("anthropic", "gemini"):
            run = [BIN / "pi"]
            self.session("pi", behind, [*run, "-p", TASK], [*run, "--continue", "-p", AGAIN])

    # ---- those whose settings are printed: what is printed is done ----

    def printed(self, client, behind):
        done = self.connect(client, "--model", f"m-{behind}", "--key", "me", "--show-key")
        self.assertEqual(done.returncode, 0, done.stderr)
        return "".join(line + "\n" for line in done.stdout.splitlines() if not line.startswith("# "))

    def test_copilot(self):
        for behind in ("anthropic", "gemini"):
            with self.subTest(behind=behind):
                shell = self.printed("copilot", behind) + f"exec {BIN}/copilot --allow-all-tools "
                (self.work / "note.txt").unlink(missing_ok=True)
                self.check_written(behind, self.program("bash", "-c", shell + f"-p '{TASK}'"))
                self.check_goes_on(behind, self.program("bash", "-c", shell + f"--continue -p '{AGAIN}'"))

    def test_cline(self):
        """A session that is resumed is for its window alone, so each turn is asked for by itself."""
        self.addCleanup(self.program, BIN / "cline", "hub", "stop")
        for behind in ("anthropic", "gemini"):
            with self.subTest(behind=behind):
                line = next(line for line in self.printed("cline", behind).splitlines() if line.startswith("Its command line:"))
                said = self.program("bash", "-c", line.partition(":")[2])
                self.assertEqual(said.returncode, 0, said.stdout + said.stderr)
                (self.work / "note.txt").unlink(missing_ok=True)
                self.check_written(behind, self.program(BIN / "cline", TASK))
                self.check(behind, self.program(BIN / "cline", "Greet me."), "Hello")

    def test_langchain(self):
        agent = textwrap.dedent(f"""
            from langchain.agents import create_agent
            from langchain_core.tools import tool

            @tool
            def write_file(file_path: str, content: str) -> str:
                "Writes a file."
                with open(file_path, "w") as file:
                    file.write(content)
                return "written"

            agent = create_agent(model, [write_file])
            said = agent.invoke({{"messages": [("user", "{TASK}")]}})["messages"]
            for piece, _ in agent.stream({{"messages": [*said, ("user", "{AGAIN}")]}}, stream_mode="messages"):
                print(piece.text, end="")
            """)
        for behind in ("anthropic", "gemini"):
            with self.subTest(behind=behind):
                (self.work / "note.txt").unlink(missing_ok=True)
                result = self.program(LANGCHAIN, "-c", self.printed("langchain", behind) + agent)
                self.check_written(behind, result)
                self.check(behind, result, "Done.")
                self.assertEqual(len(self.upstreams[behind].seen), 3)


if __name__ == "__main__":
    unittest.main()
