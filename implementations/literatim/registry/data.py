"""The data sets that recipes name: where their module is, their licence, the checksums of their files."""

from typing import NamedTuple


class DataSet(NamedTuple):
    module: str  # import path of the LightningDataModule
    about: str
    licence: str
    sha256: dict[str, str]  # of each file it reads, unpacked


DATA_SETS = {
    "digits": DataSet(
        module="literatim.datasets.digits:Digits",
        about="1,797 handwritten digits of 8x8 pixels, inside scikit-learn: works offline",
        licence="CC BY 4.0 (UCI: Optical Recognition of Handwritten Digits)",
        sha256={},  # not checked: they come inside a package
    ),
    "symmetry": DataSet(
        module="literatim.datasets.symmetry:Symmetry",
        about="all 64 vectors of six bits, and whether each is symmetrical about its middle",
        licence="none needed: they are counted",
        sha256={},  # made, not read
    ),
    "familytrees": DataSet(
        module="literatim.datasets.familytrees:FamilyTrees",
        about="the two family trees of Rumelhart, Hinton and Williams (1986, Fig. 2) as 104 questions with answers",
        licence="none needed: names, and who is what of whom",
        sha256={},  # made, not read
    ),
    "mnist": DataSet(
        module="literatim.datasets.mnist:MNIST",
        about="60,000 + 10,000 handwritten digits of 28x28 pixels",
        licence="CC BY-SA 3.0",
        sha256={
            "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        },
    ),
    "cifar10": DataSet(
        module="literatim.datasets.cifar10:CIFAR10",
        about="50,000 + 10,000 colour images of 32x32 pixels in ten classes",
        licence="none stated; to be cited as Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        sha256={},  # not known to us: the module checks the MD5 sums that torchvision has of the Python version
    ),
    "imagefolder": DataSet(
        module="literatim.datasets.imagefolder:ImageFolder",
        about="your own image files, in a folder for each class",
        licence="that of the images",
        sha256={},  # whatever images there are
    ),
    "imagenet": DataSet(
        module="literatim.datasets.imagenet:ImageNet",
        about="ILSVRC-2012: 1,281,167 + 50,000 photographs of a thousand classes",
        licence="for research and teaching only, by the terms of image-net.org; the photographs are their owners'",
        sha256={},  # of so many files it is their number that the module checks
    ),
    "corpus": DataSet(
        module="literatim.datasets.corpus:Corpus",
        about="a text of your own, or the help texts inside every CPython (some 64,000 words): those work offline",
        licence="of the help texts: the Python Software Foundation License",
        sha256={},  # not checked: the help texts differ a little from one version of Python to the next
    ),
    "embedded-reber": DataSet(
        module="literatim.datasets.reber:EmbeddedReber",
        about="strings of the embedded Reber grammar, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "continual-reber": DataSet(
        module="literatim.datasets.reber_stream:ContinualReber",
        about="embedded Reber strings, one after the other without an end, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "noise-free": DataSet(
        module="literatim.datasets.lags:NoiseFree",
        about="a symbol to be kept over a row of others, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "distractors": DataSet(
        module="literatim.datasets.lags:Distractors",
        about="a symbol to be kept over many random ones, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "two-sequences": DataSet(
        module="literatim.datasets.lags:TwoSequences",
        about="two classes told by the first of many noisy numbers, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "marked": DataSet(
        module="literatim.datasets.lags:Marked",
        about="the adding and the multiplication problem, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "temporal-order": DataSet(
        module="literatim.datasets.lags:TemporalOrder",
        about="two or three symbols whose order counts, among random ones, drawn",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "phrase-pairs": DataSet(
        module="literatim.datasets.phrase_pairs:PhrasePairs",
        about="phrase pairs: number words, which work offline, an installed dictionary, or a file of your own",
        licence="of FreeDict's dictionaries: the GPL; of your own file: yours",
        sha256={},  # not checked: a dictionary has the version of its package
    ),
    "streams": DataSet(
        module="literatim.datasets.streams:Streams",
        about="the four streams of Elman (1990), drawn: bits in triples, syllables, words and sentences without gaps",
        licence="none is needed: they are made here",
        sha256={},  # drawn from a seed
    ),
    "games": DataSet(
        module="literatim.datasets.experience:ExperienceDataModule",
        about="what an agent meets as it plays: a game of the Arcade Learning Environment, or a ball to be caught",
        licence="of the emulator: the GNU GPL, version 2; the games come in the package ale-py",
        sha256={},  # made by playing; a run goes on with the emulator it began with
    ),
    "tabular": DataSet(
        module="literatim.datasets.tabular:Tabular",
        about="an environment of Gymnasium's with numbered states: FrozenLake, CliffWalking, Taxi; acted in",
        licence="Gymnasium's: MIT",
        sha256={},  # acted in, not read
    ),
}
