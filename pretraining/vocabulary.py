"""The words, tokenizers and processors of the built-in bases, made without any download.

The tokenizer is a byte-level BPE, so it writes any text; the words below are learnt as whole tokens, which
keeps questions, answers and class names short. It knows them as a dictionary does: most are never trained on.
"""

from __future__ import annotations

import json
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import BartTokenizer, CLIPImageProcessorPil, Florence2Processor

from florence2.codec.locations import BINS, location_token

__all__ = ["FLORENCE_TOKENS", "MORE_WORDS", "WORDS", "build_processor", "build_tokenizer"]

WORDS = """
a an the this that these those is are was were be been has have had do does did can will would should not no yes and
or but if of in on at to from by for with without into over under above below behind between near next inside outside
left right top bottom front back center middle corner side edge it its they them there here he she his her we you your
my our what which who where when why how many much any some all each both other same different first second third last
more most less least very only also than then now zero one two three four five six seven eight nine ten eleven twelve
twenty hundred number count total none nothing something anything object objects thing things item items kind type
class category name region area part picture image photo scene caption text word words letter letters line lines
describe description detail paragraph show shows shown locate find phrases proposals mask polygon regions contain
contains color colour shape size texture pattern material red green blue yellow purple orange pink brown black white
gray grey gold silver cyan dark light bright plain striped dotted checked circle square triangle star cross ring
diamond heart oval rectangle hexagon arrow crescent moon sun tile tiles frame framed box boxes card cards deck king
queen jack ace joker hearts diamonds clubs spades suit rank face value big small large tiny huge tall short long wide
narrow round flat open closed empty full old new young good bad hot cold wet dry clean dirty man woman boy girl child
children people person player baby family group crowd cat dog bird horse sheep cow elephant bear zebra giraffe fish
shark whale turtle frog mouse rabbit lion tiger monkey chicken duck bee cell cells blood platelets car truck bus train
plane boat ship bicycle motorcycle bike traffic sign stop street road bridge city town house home building church
tower room kitchen bathroom bedroom office school store shop market window door wall floor roof table chair desk bed
couch sofa bench lamp clock book bottle cup glass plate bowl fork knife spoon phone computer laptop keyboard screen
television camera bag backpack umbrella hat cap helmet shirt pants dress shoe shoes tie coat glasses watch ball bat
racket kite frisbee skateboard surfboard snowboard skis tree grass flower plant leaf fruit apple banana grape lemon
bread cake pizza sandwich meat rice soup salad coffee tea water milk wine beer sky cloud rain snow ice fire river lake
sea ocean beach sand mountain hill field park garden forest farm wood metal plastic paper stone brick glass leather
cotton day night morning evening summer winter sitting standing walking running riding flying eating drinking playing
holding wearing looking made used date time year month address company invoice receipt amount price cash tax change
quantity description page form report email web news What Locate Describe Is How
"""
"""Common English words: what images show, questions about them, and the words of Florence-2's prompts."""

MORE_WORDS = """
teal pink checked hexagon crescent arrow shapes smallest largest sign middle image objects eleven total date tax name
number amount price city time cash change page written which texture pattern framed cells core stripes dots squares
circles triangles stars crosses rings hearts diamonds ovals rectangles hexagons arrows crescents tiles Total Date Tax
Name Number Amount Price City Time Cash Change Page 00 0. 1. 2. 3. 4. 5. 6. 7. 8. 9.
"""
"""Words of the scenes of ``builtin:small`` and of the questions about them; some are above, too."""

_PAIRED = (
    "od",
    "ocr",
    "cap",
    "ncap",
    "dcap",
    "grounding",
    "seg",
    "region_cap",
    "region_to_desciption",
    "proposal",
    "poly",
)
FLORENCE_TOKENS = (
    *(f"<{end}{name}>" for name in _PAIRED for end in ("", "/")),
    *("<sep>", "<and>", "<VQA>", "<DocVQA>"),
)
"""Special tokens besides the locations, spelt as in Microsoft's checkpoints, and task tokens without a prompt."""

_CONTROL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_VOCABULARY = 2048
_PARSE_TYPES = (
    *("pure_text", "ocr", "phrase_grounding", "polygons", "bboxes"),
    *("description_with_bboxes", "description_with_polygons", "description_with_bboxes_or_polygons"),
)


def build_tokenizer(words: str = WORDS) -> BartTokenizer:
    """Train the tokenizer on words, alone and after a blank.

    Args:
        words: what is learnt as whole tokens, divided by blanks.

    Returns:
        A tokenizer with ``<loc_0>``...``<loc_999>`` in a row and every token of Florence-2's tasks.
    """
    distinct = list(dict.fromkeys(words.split()))
    corpus = [text for word in distinct for text in (word, f" {word}", f" {word}")]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=list(_CONTROL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(corpus, trainer)
    learnt = json.loads(bpe.to_str())["model"]
    # BPE takes pairs only as tuples, which the annotation of BartTokenizer does not foresee.
    merges: Any = [tuple(pair) for pair in learnt["merges"]]
    locations = [location_token(index) for index in range(BINS)]
    special = [AddedToken(token, normalized=False, special=True) for token in [*locations, *FLORENCE_TOKENS]]
    return BartTokenizer(
        vocab=learnt["vocab"],
        merges=merges,
        extra_special_tokens=special,
        model_specific_special_tokens={"image_token": "<image>"},
        model_max_length=1024,
    )


def build_processor(image_side: int, image_tokens: int, words: str = WORDS) -> Florence2Processor:
    """Build the processor: the tokenizer, Florence-2's prompts, and resizing to a square.

    Args:
        image_side: width and height in pixels that the model sees.
        image_tokens: tokens that an image becomes in the text model.
        words: what the tokenizer learns as whole tokens, divided by blanks.
    """
    image_processor = CLIPImageProcessorPil(
        size={"height": image_side, "width": image_side},
        do_center_crop=False,
        image_seq_length=image_tokens,
    )
    return Florence2Processor(
        image_processor=image_processor,
        tokenizer=build_tokenizer(words),
        post_processor_config={kind: {} for kind in _PARSE_TYPES},
    )
