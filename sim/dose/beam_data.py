"""Numbers of the dose model: coefficients of the pencil kernel and what is known of each beam.

Lengths in cm throughout ``sim.dose``: the kernel is published in cm, and nothing here is compared
for equality with the integers of a plan.
"""

from __future__ import annotations

from dataclasses import dataclass

from sim.machine import FluenceMode

#: Pencil kernel of Nyholm et al. 2006 (Radiother Oncol 78:347, corrigendum 2011;98:286): every
#: parameter is a polynomial in TPR20,10, lowest power first. As printed in the source of the open
#: program PyDoseRT (MIT licence), not compared with the paper itself.
NYHOLM: dict[str, tuple[float, ...]] = {
    "A1": (0.0128018, -0.0577391, 0.1790839, -0.2467955, 0.1328192, -0.0194684),
    "A2": (16.7815028, -279.4672663, 839.0016549, -978.4915013, 470.5317337, -69.2485573),
    "A3": (-0.0889669, -0.2587584, 0.7069203, -0.3654033, 0.002976, -0.0003786),
    "A4": (0.0017089, -0.016915, 0.051465, -0.063953, 0.032449, -0.0049121),
    "A5": (0.1431447, -0.2134626, 0.5825546, -0.2969273, -0.0011436, 0.0002219),
    "B1": (-42.7607523, 264.342472, -633.4540368, 731.5311577, -402.5280374, 82.4936551),
    "B2": (0.2428359, -2.5029336, 7.6128101, -9.5273454, 4.824984, -0.7097852),
    "B3": (-0.091042, -0.2621605, 0.7157244, -0.3664126, 9.3e-05, -2.32e-05),
    "B4": (0.0017284, -0.0172146, 0.0522109, -0.0643946, 0.0322177, -0.0047015),
    "B5": (-30.4609625, 354.2866078, -1073.2952368, 1315.2670101, -656.3702845, 96.5983711),
    "a1": (-0.0065985, 0.0242136, -0.0647001, 0.0265272, 0.0072169, -0.0020479),
    "a2": (-26.3337419, 435.6865552, -1359.8342546, 1724.6602381, -972.7565415, 200.3468023),
    "b1": (-80.7027159, 668.1710175, -2173.2445309, 3494.239349, -2784.4670834, 881.227651),
    "b2": (3.4685991, -41.2468479, 124.9729952, -153.2610078, 76.5242757, -11.2624113),
    "b3": (-39.6550497, 277.7202038, -777.0749505, 1081.5724508, -747.1056558, 204.5432666),
    "b4": (0.6514859, -4.7179961, 13.6742202, -19.7521659, 14.1873606, -4.0478845),
    "b5": (0.4695047, -3.6644336, 10.0039321, -5.1195905, -0.0007387, 0.000236),
}

#: Dose at the depth of the maximum in a 10 cm x 10 cm field at 100 cm from source to surface: the
#: usual calibration of a C-arm linac (engineering default).
GY_PER_MU = 0.01

#: Share of that dose anywhere in the room while the beam is on, whatever the collimator shows:
#: mean allowed in the plane of the patient (IEC 60601-2-1). Neither depth nor distance weaken it.
HEAD_LEAKAGE = 0.001

Profile = tuple[tuple[float, float], ...]  # cm from the axis at the isocentre plane, relative fluence

#: Without flattening filter; values published in PyDoseRT for a 10 MV beam, their origin unknown.
_PEAKED: Profile = (
    (0.0, 1.0), (1.0, 0.989), (2.0, 0.949), (3.0, 0.900), (4.0, 0.850), (5.0, 0.795), (7.5, 0.685),
    (10.0, 0.598), (15.0, 0.465), (20.0, 0.372),
)  # fmt: skip
#: 6 MV is less peaked: 0.6 of the loss at 10 MV (engineering default).
_LESS_PEAKED: Profile = tuple((r, round(1 - 0.6 * (1 - f), 4)) for r, f in _PEAKED)
#: Horns of a flattened 10 MV beam, from the same source; also taken for 6 MV (engineering default).
_HORNS: Profile = ((0.0, 1.0), (4.7, 1.028), (9.5, 1.039), (16.0, 1.049))

#: Output of square fields at the depth of the maximum against 10 cm x 10 cm, side in cm: spot
#: values of a generic linac in the public data of the program OpposingFields. There is nothing of
#: the kind for beams without flattening filter, whose head scatters little: none is assumed.
_OUTPUT_6: Profile = ((2.0, 0.895), (3.0, 0.918), (5.0, 0.951), (10.0, 0.999), (20.0, 1.049))
_OUTPUT_10: Profile = ((2.0, 0.872), (3.0, 0.906), (5.0, 0.947), (10.0, 1.000), (20.0, 1.053))


@dataclass(frozen=True, slots=True)
class BeamData:
    """One photon beam of the model."""

    energy_mv: int
    fluence_mode: FluenceMode
    #: TPR20,10 put into the polynomials, chosen so that the TPR20,10 *computed* for 10 cm x 10 cm
    #: (flattened) or its depth dose at 10 cm (FFF, outside the fitted set) comes out right.
    input_tpr: float
    transmission: float  # of the multileaf collimator; one published site file
    profile: Profile
    output: Profile | None  # relative output of square fields; None: phantom scatter alone


BEAMS = (
    BeamData(6, "flattened", 0.674, 0.012, _HORNS, _OUTPUT_6),
    BeamData(10, "flattened", 0.739, 0.014, _HORNS, _OUTPUT_10),
    BeamData(6, "fff", 0.646, 0.010, _LESS_PEAKED, None),
    BeamData(10, "fff", 0.709, 0.012, _PEAKED, None),
)
