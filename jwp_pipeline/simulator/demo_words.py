"""What a university talks about: the words of the demo library. Data only; people and places are invented."""

SUBJECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "PHY": (
        "Physics",
        (
            *("Quantum entanglement", "The expansion of the universe", "Superconductivity", "Neutrino oscillations"),
            *("Lasers and coherent light", "Thermodynamics of small systems", "Gravitational waves", "Soft matter"),
        ),
    ),
    "CHEM": (
        "Chemistry",
        (
            *("Catalysis", "Molecular machines", "Reading NMR spectra", "Chemistry of the atmosphere"),
            *("Batteries beyond lithium", "Chirality", "Computational chemistry", "Polymers by design"),
        ),
    ),
    "MATH": (
        "Mathematics",
        (
            *("Prime numbers", "Topology of surfaces", "Fourier analysis", "Random walks"),
            *("Elliptic curves", "Stochastic calculus", "Group theory", "Numerical linear algebra"),
        ),
    ),
    "CL": (
        "Computer Science",
        (
            *("Type systems", "Distributed consensus", "Compilers", "Information retrieval"),
            *("Public-key cryptography", "Operating system kernels", "Graph neural networks", "Databases and recovery"),
        ),
    ),
    "HIST": (
        "History",
        (
            *(
                "The Black Death",
                "Trade on the Indian Ocean",
                "The Congress of Vienna",
                "Women in the Chartist movement",
            ),
            *(
                "Empire and the archive",
                "The printing revolution",
                "Postwar reconstruction",
                "Oral history in practice",
            ),
        ),
    ),
    "ENG": (
        "English",
        (
            *("Reading Middlemarch", "Shakespeare's late plays", "The modernist novel", "Milton and liberty"),
            *("Poetry after 1945", "The gothic", "Postcolonial voices", "Old English riddles"),
        ),
    ),
    "ECON": (
        "Economics",
        (
            *("Auctions", "Inflation and expectations", "Inequality since 1980", "Game theory"),
            *("The economics of climate", "Development and institutions", "Labour markets", "Central banking"),
        ),
    ),
    "BIOL": (
        "Biology",
        (
            *("Evolution of flight", "CRISPR and its limits", "Plant signalling", "How neurons compute"),
            *("The gut microbiome", "Population genetics", "Circadian clocks", "Coral reefs in a warming sea"),
        ),
    ),
    "MED": (
        "Clinical Medicine",
        (
            *("Antibiotic resistance", "Imaging the heart", "Clinical trials", "Immunity and vaccination"),
            *("Diagnosing rare disease", "Pain", "Stroke care", "The ageing brain"),
        ),
    ),
    "LAW": (
        "Law",
        (
            *("Judicial review", "Contract and consent", "Human rights in Europe", "The law of the sea"),
            *("Evidence", "Company law reform", "Equity and trusts", "Privacy online"),
        ),
    ),
    "PHIL": (
        "Philosophy",
        (
            *("Free will", "Kant's first Critique", "Personal identity", "The ethics of belief"),
            *("Scepticism", "Philosophy of probability", "Justice", "Language and meaning"),
        ),
    ),
    "MUS": (
        "Music",
        (
            *("Bach's counterpoint", "Opera in Vienna", "Sound and space", "The string quartet"),
            *("Notation before 1400", "Jazz harmony", "Choral evensong", "Music and memory"),
        ),
    ),
    "GEOG": (
        "Geography",
        (
            *("Glaciers", "Cities and migration", "Remote sensing", "Rivers and floods"),
            *("Borders", "Arctic futures", "Mapping inequality", "Volcanic hazards"),
        ),
    ),
    "UIS": (
        "University Information Services",
        (
            *("Recording your lecture", "Accessible slides", "Research data management", "Captions that help"),
            *("Staying safe online", "Teaching with video", "High-performance computing", "Version control"),
        ),
    ),
}
"""Institution id → its subject and what is taught there."""

FORMATS = ("lecture", "seminar", "tutorial", "public lecture", "panel discussion", "interview", "masterclass")

LECTURERS = (
    *("Amara Okafor", "Benedict Hale", "Chiara Conti", "Daniel Freeman", "Eleni Markou", "Farid Haddad"),
    *("Grace Whitlock", "Hiroshi Tanabe", "Ingrid Solberg", "Jonas Ekström", "Katarzyna Wróbel", "Liam Doherty"),
    *("Mei-Ling Chow", "Nadia Rahman", "Oliver Pemberton", "Priya Raghavan", "Quentin Leroux", "Rosa Delgado"),
    *("Samuel Adeyemi", "Théa Lindqvist", "Ursula Brandt", "Victor Almeida", "Wilhelmina Groot", "Zoë Ashdown"),
)

OPENINGS = (
    "{topic}: an introduction for first-year students, recorded in the main lecture theatre.",
    "{lecturer} on what we know, and what we do not. Today's topic: {topic}.",
    "{lecturer} looks back at thirty years of work in {subject}. In this recording: {topic}.",
    "Part {part} of the course, with worked examples. {topic}.",
    "Recorded at the department's open day. {topic}, told for everyone.",
)
MIDDLES = (
    "We begin with the classical results and end with open questions.",
    "No previous knowledge is needed; a reading list is on the course page.",
    "The slides and the problem sheet can be found with the other materials of the course.",
    "A discussion with the audience follows, with questions on method and on evidence.",
    "The second half is a demonstration, filmed from two angles.",
    "Much of this is joint work with colleagues in three countries.",
)
ENDINGS = (
    "Captions were made automatically and corrected by hand.",
    "The sound is poor in the first two minutes.",
    "This recording may not be copied without the consent of the speaker.",
    "Please cite the accompanying paper.",
    "Filmed and edited by the media team.",
)
COPYRIGHTS = ("University of Example", "The lecturer", "© the speaker and the department", "")
KEYWORDS = (
    *("research", "teaching", "undergraduate", "postgraduate", "outreach", "open day", "careers", "methods"),
    *("ethics", "data", "fieldwork", "history of science", "public engagement", "Nobel prize", "study skills"),
)
LANGUAGES = ("eng", "eng", "eng", "eng", "eng", "eng", "eng", "fra", "deu", "ita", "cym", "en", "und")
