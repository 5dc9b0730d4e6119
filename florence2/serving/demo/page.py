"""The page, made of gradio's components; it loads nothing from another host."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from florence2.codec import TASKS, AnswerKind, Task, joined
from florence2.config import EvaluationConfig
from florence2.errors import ConfigurationError, Florence2Error
from florence2.inference import Predictor
from florence2.model import Florence2
from florence2.serving.demo.answer import ShownAnswer, answer_prompt

__all__ = ["build_page", "check_installed", "serve_page"]

_WAITING = 32
"""Requests that may wait in the queue; more are refused."""
_KEPT = 3600
"""Seconds after which uploads and drawn images are deleted."""
_REGION = "the region: <loc_x_min><loc_y_min><loc_x_max><loc_y_max>, each 0 to 999"
_OWN = "the text for the task"
_HINTS = {
    "<CAPTION_TO_PHRASE_GROUNDING>": "the caption whose phrases are to be found",
    "<OPEN_VOCABULARY_DETECTION>": "what to find, such as: a cat",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "what to outline, such as: the cat on the left",
    "<VQA>": "the question",
    "<DocVQA>": "the question",
}
_STYLE = """
.gradio-container { max-width: 1200px !important; margin: 0 auto !important; }
.answers { display: grid !important; grid-template-columns: repeat(auto-fit, minmax(min(280px, 100%), 1fr)); }
.answers > .answer { min-width: 0 !important; }
.answer-title h3 { margin: 0; overflow-wrap: anywhere; }
#confidence .min_value, #confidence .max_value { color: var(--body-text-color); }
"""


def check_installed() -> None:
    """Raise if gradio is not installed.

    Raises:
        ConfigurationError: gradio is not installed.
    """
    if importlib.util.find_spec("gradio") is None:
        raise ConfigurationError("the demo page needs gradio; install it by: pip install 'florence2-finetune[serve]'")


def build_page(models: Mapping[str, Florence2], config: EvaluationConfig | None = None) -> Any:
    """Return the page as gradio ``Blocks``.

    Args:
        models: one or several by their titles; their answers are shown next to each other.
        config: how answers are generated; its least confidence is where the slider stands first.

    Raises:
        ConfigurationError: gradio is not installed.
        ModelError: the processor or tokenizer of a model is not Florence-2's.
    """
    gradio = _gradio()
    config = config or EvaluationConfig()
    # All boxes are generated, and those below the slider are left out of what is shown.
    every_box = config.model_copy(update={"min_confidence": 0.0})
    answerers = [Predictor(model, every_box) for model in models.values()]
    known = joined(TASKS, (task for answerer in answerers for task in answerer.tasks.own))

    def answer(image: str | None, token: str, text: str, min_confidence: float) -> list[Any]:
        if image is None:
            raise gradio.Error("Drop an image first.", print_exception=False)
        try:
            shown = answer_prompt(answerers, Path(image), known[token].prefix_with(text), min_confidence)
        except Florence2Error as exc:
            raise gradio.Error(_plain(str(exc), Path(image)), print_exception=False) from exc
        return [part for each in shown for part in _parts(gradio, each)]

    def fields_of(token: str) -> list[Any]:
        task = known[token]
        return [
            gradio.Textbox(visible=task.takes_input, placeholder=_hint(task), value=""),
            gradio.Slider(visible=task.answer is AnswerKind.BOXES),
        ]

    with gradio.Blocks(title="Florence-2", analytics_enabled=False, delete_cache=(_KEPT, _KEPT)) as page:
        gradio.Markdown(f"# Florence-2\nDrop an image, choose a task, and see the answers of {_names(models)}.")
        with gradio.Row():
            with gradio.Column(min_width=280):
                image = gradio.Image(label="Image", type="filepath", sources=["upload", "clipboard"], height=320)
                image.preprocess = _uploaded_file
            with gradio.Column(min_width=280):
                tasks = [(f"{task.title} ({token})", token) for token, task in known.items()]
                task = gradio.Dropdown(tasks, value="<OD>", label="Task", elem_id="task")
                text = gradio.Textbox(label="Text for the task", visible=False, elem_id="text", max_length=1000)
                least = gradio.Slider(
                    *(0, 1, config.min_confidence),
                    step=0.05,
                    label="Least confidence of a box",
                    elem_id="confidence",
                )
                button = gradio.Button("Answer", variant="primary", elem_id="ask")
        outputs: list[Any] = []
        with gradio.Row(elem_classes="answers"):
            for title in models:
                with gradio.Column(elem_classes="answer"):
                    gradio.Markdown(f"### {_escaped(title)}", elem_classes="answer-title")
                    outputs += _answer_components(gradio)
        task.change(fields_of, task, [text, least], queue=False, api_visibility="private")
        for on_event in (button.click, text.submit):
            on_event(
                *(answer, [image, task, text, least], outputs),
                concurrency_limit=1,
                concurrency_id="models",
                api_name="answer",
            )
    page.queue(max_size=_WAITING, default_concurrency_limit=1)
    return page


def _hint(task: Task) -> str:
    return _HINTS.get(task.token, _OWN if task.sentence else _REGION)


def serve_page(page: Any, host: str, port: int, upload_megabytes: float) -> str:
    """Serve a page in threads of its own; ``page.close()`` ends it.

    Args:
        page: ``build_page``.
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        upload_megabytes: largest file that is accepted.

    Returns:
        The address.

    Raises:
        ConfigurationError: the address cannot be bound.
    """
    gradio = _gradio()
    try:
        _, address, _ = page.launch(
            server_name=host,
            server_port=port or None,
            share=False,
            inbrowser=False,
            quiet=True,
            show_error=True,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            max_file_size=int(upload_megabytes * 1e6),
            theme=_theme(gradio),
            css=_STYLE,
            prevent_thread_lock=True,
        )
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"{host}:{port} cannot be bound ({exc}); give another --host or --port") from exc
    return str(address)


def _gradio() -> Any:
    check_installed()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when it is imported
    import gradio

    return gradio


def _theme(gradio: Any) -> Any:
    """Return gradio's own theme with the fonts of the system, and colours with enough contrast."""
    fonts = {"font": ["system-ui", "sans-serif"], "font_mono": ["ui-monospace", "monospace"]}
    return gradio.themes.Default(primary_hue="blue", **fonts).set(
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
    )


def _answer_components(gradio: Any) -> list[Any]:
    """Make the components for the answer of one model; ``_parts`` fills them."""
    table = {"headers": ["what", "score", "pixels"], "column_widths": ["42%", "22%", "36%"], "max_height": 320}
    return [
        gradio.Image(show_label=False, interactive=False, format="png", buttons=["download", "fullscreen"]),
        gradio.Dataframe(**table, datatype="str", interactive=False, wrap=True, visible=False, buttons=[]),
        gradio.Textbox(label="Answer as generated", interactive=False, lines=2, max_lines=12, buttons=["copy"]),
    ]


def _parts(gradio: Any, shown: ShownAnswer) -> tuple[Any, Any, Any]:
    return (
        shown.image,
        gradio.Dataframe(value=shown.rows or [], visible=shown.rows is not None),
        gradio.Textbox(value=shown.text, info=shown.note),
    )


def _uploaded_file(payload: Any) -> str | None:
    """Return the uploaded file: gradio would open it first, and has no message for a file that is not an image."""
    return payload.path if payload else None


def _names(models: Mapping[str, Florence2]) -> str:
    return " and ".join(_escaped(title) for title in models)


def _escaped(title: str) -> str:
    return "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|" else letter for letter in title)


def _plain(message: str, image: Path) -> str:
    """Replace the path of an upload on the server, which the user does not know."""
    return message.replace(str(image), "this image")
