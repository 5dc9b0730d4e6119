from .candidates import Candidate as Candidate
from .candidates import Candidates as Candidates
from .decision import Decision as Decision
from .decision import decide as decide
from .gate import Gate as Gate
from .gathering import gather_evidence as gather_evidence
from .gathering import name_versions as name_versions
from .serving import ServingCheck as ServingCheck
