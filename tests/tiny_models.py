"""Tiny models with random weights, one for each architecture the helpers are tested on.

They write nonsense, but compute like their large relatives. `TINY["llama"]()` is a model,
`tiny_tokenizer()` the tokenizer all of them share. Both are made once a process: change neither.
"""

import json
from functools import cache
from pathlib import Path

import gguf
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CONTEXT = 256
WINDOW = 8  # positions that Gemma's sliding layers look back, fewer than the tests' texts have

SENTENCES = [
    "The capital of France is Paris. The dog chased the squirrel because it was hungry.",
    "Once upon a time there was a small model that wrote one token after another token.",
    "def apply_temperature(logits, temperature): return logits / temperature  # 0.7, 1.0, 2.0",
    "프랑스의 수도는 파리입니다. 언어 모델은 다음 토큰을 하나씩 골라 문장을 이어 갑니다.",
    "트랜스포머는 어텐션으로 앞의 토큰을 봅니다. 강아지가 다람쥐를 쫓아갔습니다.",
]

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)


@cache
def tiny_tokenizer() -> transformers.PreTrainedTokenizerFast:
    """A real byte-level BPE tokenizer of 400 tokens, learnt from `SENTENCES`."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<pad>", "<bos>", "<eos>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(SENTENCES, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        pad_token="<pad>",
        bos_token="<bos>",
        eos_token="<eos>",
        chat_template=CHAT_TEMPLATE,
        model_max_length=CONTEXT,
    )


def _random(config_class: type, **shape) -> transformers.PreTrainedModel:
    tokenizer = tiny_tokenizer()
    config = config_class(
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.2,  # ten times the usual, so that the tokens' scores clearly differ
        **shape,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    return model.eval().requires_grad_(False)


LAYERS = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": CONTEXT,
}
GROUPED = LAYERS | {"num_key_value_heads": 2}


@cache
def llama():
    return _random(transformers.LlamaConfig, **GROUPED, tie_word_embeddings=True)


@cache
def phi3():
    return _random(transformers.Phi3Config, **GROUPED, original_max_position_embeddings=CONTEXT)


@cache
def gpt2():
    return _random(transformers.GPT2Config, n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT)


@cache
def qwen3():
    return _random(transformers.Qwen3Config, **GROUPED, head_dim=16)  # heads wider than 32 / 4


@cache
def gemma3():
    return _random(
        transformers.Gemma3TextConfig,
        **GROUPED | {"num_hidden_layers": 3},
        head_dim=8,
        sliding_window=WINDOW,
        layer_types=["sliding_attention", "full_attention", "sliding_attention"],
    )


@cache
def gpt_neox():
    return _random(transformers.GPTNeoXConfig, **LAYERS)


TINY = {
    "llama": llama,
    "phi-3": phi3,
    "gpt-2": gpt2,
    "qwen-3": qwen3,
    "gemma-3": gemma3,
    "gpt-neox": gpt_neox,
}


def save_tiny(folder: Path, name: str = "llama") -> Path:
    """Save a tiny model and its tokenizer as a checkpoint folder.  Returns `folder`."""
    TINY[name]().save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


GGUF_NAMES = {  # what the parts of a Llama layer are called in a GGUF file
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}


def write_tiny_gguf(path: Path) -> Path:
    """Write a tiny Llama in the form of the default model: one GGUF file, 4 bits a weight."""
    config, tokenizer = llama().config, tiny_tokenizer()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)

    ids = tokenizer.get_vocab()
    special = set(tokenizer.all_special_tokens)
    merges = json.loads(tokenizer.backend_tokenizer.to_str())["model"]["merges"]
    kinds = gguf.TokenType
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    tokens = sorted(ids, key=ids.get)
    writer.add_token_list(tokens)
    writer.add_token_types([kinds.CONTROL if t in special else kinds.NORMAL for t in tokens])
    writer.add_token_merges([" ".join(pair) for pair in merges])
    writer.add_bos_token_id(tokenizer.bos_token_id)
    writer.add_eos_token_id(tokenizer.eos_token_id)
    writer.add_pad_token_id(tokenizer.pad_token_id)
    writer.add_unk_token_id(tokenizer.pad_token_id)
    writer.add_chat_template(CHAT_TEMPLATE)

    weights = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
    for layer in range(config.num_hidden_layers):
        for name, short in GGUF_NAMES.items():
            weights[f"blk.{layer}.{short}"] = f"model.layers.{layer}.{name}"
    four_bits = gguf.GGMLQuantizationType.Q4_1
    for short, name in weights.items():
        weight = llama().get_parameter(f"{name}.weight").numpy()
        if weight.ndim == 1:  # norms stay as they are, as in the default model
            writer.add_tensor(f"{short}.weight", weight)
        else:
            packed = gguf.quants.quantize(weight, four_bits)
            writer.add_tensor(f"{short}.weight", packed, raw_dtype=four_bits)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
