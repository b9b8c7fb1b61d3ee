"""`load_model` loads what its name says, quietly and offline, or says clearly why it does not."""

import json
import logging
import socket
import warnings
from types import SimpleNamespace

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants, errors

from tests.tiny_models import CONTEXT, TINY, save_tiny, tiny_tokenizer
from utils.model import context_length, end_token_ids, load_model, prompt_ids
from utils.model_store import MODEL, ModelError, write_manifest


@pytest.fixture
def no_network(monkeypatch):
    """Every attempt to reach another machine fails, and is recorded in this list."""
    attempts = []

    def refuse(*args, **options):
        attempts.append(args)
        raise socket.gaierror("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return attempts


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """An empty hub cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


# The default model


def test_the_default_model_knows_the_capital_of_france(default_model):
    model, tokenizer = default_model
    logits = model(prompt_ids(model, tokenizer, "The capital of France is")).logits[0, -1]
    assert tokenizer.decode(logits.argmax()) == " Paris"
    assert logits.softmax(-1).max().item() == pytest.approx(0.77, abs=0.005)


def test_the_default_model_is_as_the_course_says(default_model):
    model, tokenizer = default_model
    assert not model.training
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert not any(p.requires_grad for p in model.parameters())
    assert model.lm_head.weight is model.get_input_embeddings().weight
    assert (model.config.num_hidden_layers, model.config.hidden_size) == (30, 576)
    assert (context_length(model), tokenizer.model_max_length) == (8192, 8192)
    assert tokenizer.eos_token == "<|im_end|>"
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    assert model.name_or_path == model.config.name_or_path == tokenizer.name_or_path == MODEL


def test_the_default_model_answers_a_question(default_model):
    model, tokenizer = default_model
    question = [{"role": "user", "content": "What is the capital of France? One word."}]
    ids = tokenizer.apply_chat_template(
        question, add_generation_prompt=True, return_tensors="pt", return_dict=False
    )
    answer = model.generate(ids, max_new_tokens=10, do_sample=False)[0, ids.shape[1] :]
    assert "Paris" in tokenizer.decode(answer)


def test_generate_has_nothing_to_complain_about(default_model, caplog):
    model, tokenizer = default_model
    transformers_log = logging.getLogger("transformers")
    transformers_log.addHandler(caplog.handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            ids = prompt_ids(model, tokenizer, "The capital of France is")
            model.generate(ids, max_new_tokens=3, do_sample=False)
    finally:
        transformers_log.removeHandler(caplog.handler)
    assert caplog.records == []


def test_a_prepared_model_loads_without_network_and_without_a_word(
    default_model, no_network, capfd, monkeypatch
):
    monkeypatch.delenv("COURSE_MODEL", raising=False)
    model, _ = load_model(device="cpu")
    assert model.name_or_path == MODEL
    assert no_network == []
    assert capfd.readouterr() == ("", "")


def test_damage_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    folder = save_tiny(tmp_path / f"{MODEL}-v1")
    write_manifest(folder)
    load_model("smollm2", "cpu")
    weights = folder / "model.safetensors"
    weights.write_bytes(b"\xff" * weights.stat().st_size)
    with pytest.raises(ModelError, match=r"Damaged model files: model\.safetensors\."):
        load_model("smollm2", "cpu")


# Folders


@pytest.mark.parametrize("name", TINY)
def test_a_folder_of_any_architecture(name, tmp_path, monkeypatch, no_network):
    monkeypatch.setenv("COURSE_MODEL", str(save_tiny(tmp_path, name)))
    model, tokenizer = load_model(device="cpu")
    ids = prompt_ids(model, tokenizer, "The capital of France is Paris.")
    assert torch.equal(model(ids).logits, TINY[name]()(ids).logits)
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert no_network == []


def test_a_folder_that_holds_no_model(tmp_path):
    with pytest.raises(ValueError, match=r"no config\.json"):
        load_model(str(tmp_path))


def test_a_folder_without_weights(tmp_path):
    (save_tiny(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"could not be loaded.*model\.safetensors"):
        load_model(str(tmp_path))


def test_weights_are_never_made_up(tmp_path):
    """`transformers` fills in what a checkpoint lacks, with random numbers."""
    save_tiny(tmp_path, "llama")
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(
        json.dumps(config | {"num_hidden_layers": 3}), encoding="utf-8"
    )
    with pytest.raises(ModelError, match=r"model\.layers\.2"):
        load_model(str(tmp_path), "cpu")


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    ran = tmp_path / "ran"
    (tmp_path / "own.py").write_text(f"open({str(ran)!r}, 'w')", encoding="utf-8")
    code = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "own", "auto_map": code}), encoding="utf-8"
    )
    with pytest.raises(ModelError, match="never runs"):
        load_model(str(tmp_path), "cpu")
    assert not ran.exists()


# Names and the hub


@pytest.mark.parametrize("name", ["smolm2", "/no/such/folder", "./nothing", "a b/c", "a/b/c"])
def test_a_name_of_nothing(name, no_network):
    with pytest.raises(ValueError, match=f"There is no model '{name}'"):
        load_model(name)
    assert no_network == []


def test_the_hub_does_not_know_the_name(hub_cache, monkeypatch):
    answer(monkeypatch, errors.RepositoryNotFoundError)
    with pytest.raises(ValueError, match="There is no model 'owner/name'"):
        load_model("owner/name")


def test_the_hub_wants_its_terms_accepted(hub_cache, monkeypatch):
    answer(monkeypatch, errors.GatedRepoError)
    with pytest.raises(ModelError, match=r"https://huggingface\.co/owner/name"):
        load_model("owner/name")


def answer(monkeypatch, error: type) -> None:
    def model_info(*args, **options):
        raise error("", response=SimpleNamespace(headers={}, request=None))

    monkeypatch.setattr(huggingface_hub, "model_info", model_info)


def test_the_hub_cannot_be_reached(hub_cache, no_network):
    with pytest.raises(ModelError, match="microsoft/Phi-3-mini-4k-instruct is not on this machine"):
        load_model("phi-3-mini")
    assert no_network != []


def test_a_hub_model_says_its_size_then_downloads_then_needs_no_network(
    hub_cache, monkeypatch, capsys, no_network
):
    files = {"config.json": 1e3, "a.safetensors": 1.9e9, "pytorch_model.bin": 7e9, "onnx/a.json": 1}
    listed = [SimpleNamespace(rfilename=name, size=size) for name, size in files.items()]
    monkeypatch.setattr(
        huggingface_hub, "model_info", lambda *args, **options: SimpleNamespace(siblings=listed)
    )

    def snapshot_download(hub_id, allow_patterns):
        assert "Downloading owner/tiny from the Hugging Face hub: 1.9 GB" in capsys.readouterr().err
        assert allow_patterns == ["config.json", "a.safetensors"]
        repository = hub_cache / "models--owner--tiny"
        save_tiny(repository / "snapshots" / "abc")
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("abc", encoding="utf-8")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot_download)
    model, _ = load_model("owner/tiny", "cpu")
    assert model.name_or_path == "owner/tiny"

    capsys.readouterr()
    monkeypatch.setattr(huggingface_hub, "model_info", None)
    load_model("owner/tiny", "cpu")
    assert capsys.readouterr().err == ""
    assert no_network == []


# Small helpers


def test_prompt_ids(tiny):
    model, tokenizer = tiny
    ids = prompt_ids(model, tokenizer, "프랑스의 수도는 Paris")
    assert (ids.ndim, ids.shape[0], ids.dtype) == (2, 1, torch.int64)
    assert tokenizer.decode(ids[0]) == "프랑스의 수도는 Paris"


def test_prompts_that_do_not_fit(tiny):
    model, tokenizer = tiny
    assert context_length(model) == CONTEXT
    with pytest.raises(ValueError, match="empty"):
        prompt_ids(model, tokenizer, "")
    assert prompt_ids(model, tokenizer, "~" * CONTEXT).shape == (1, CONTEXT)  # one token each
    with pytest.raises(ValueError, match=f"{CONTEXT + 1} tokens long; the model reads {CONTEXT}"):
        prompt_ids(model, tokenizer, "~" * (CONTEXT + 1))


def test_an_unknown_context_names_the_architecture():
    class Endless:
        config = SimpleNamespace(get_text_config=lambda: SimpleNamespace())

    with pytest.raises(ModelError, match="Endless"):
        context_length(Endless())


def test_end_tokens_are_asked_for_where_they_are_written_down(monkeypatch):
    model, tokenizer = TINY["llama"](), tiny_tokenizer()
    end, config = tokenizer.eos_token_id, model.config
    monkeypatch.setattr(model.generation_config, "eos_token_id", [2, 45])
    assert end_token_ids(model) == end_token_ids(model, tokenizer) == {2, 45}
    monkeypatch.setattr(model.generation_config, "eos_token_id", None)
    monkeypatch.setattr(config, "eos_token_id", 7)
    assert end_token_ids(model, tokenizer) == {7}
    monkeypatch.setattr(config, "eos_token_id", None)
    assert end_token_ids(model, tokenizer) == {end}
    assert end_token_ids(model) == set()
