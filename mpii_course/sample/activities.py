"""What people do in the sample: poses, activities with their MPII names and sizes, and how many videos each gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Sixteen degrees a pose: torso, head | thigh, shin, out of the leading leg | of the trailing leg
# | upper arm, forearm, out, forearm's out of the leading arm | of the trailing arm.
# 0 hangs down (torso and head: stands up), 90 points forward, 180 up; "out" turns away from the body's middle.
_POSES = """
stand      2   0 |   3  -2  4 |  -3  -5  4 |   4  14   9   4 |  -4   8   9   4
talk       2   0 |   4  -2  6 |  -4  -6  5 |  20 112  12 -20 |   6  62  12 -35
walk       4   0 |  25  12  2 | -20 -40  2 | -24  -8   6   0 |  26  48   6  -5
run       13   4 |  58  -8  1 | -26 -95  1 | -48  30  12  -8 |  38 118  10 -20
jog        8   2 |  42  -4  1 | -18 -68  1 | -38  48  12 -10 |  26 110  10 -25
kick      -8   6 |  64  46  4 | -15 -28  6 | -35 -12  45  30 |  45  70  55  20
windup    10   8 | -38 -105 4 |  12  -6  6 |  40  60  50  20 | -30  -5  50  30
shoot      4  -8 |  14 -10  6 |  -6 -16  6 | 150 176  10  -5 | 138 168  14 -12
dribble   28   8 |  40 -22 10 |   2 -38 10 |  34  66  12   0 |  20  80  25   0
swingback 12   0 |  28 -14 14 | -10 -30 14 | -35   5  60  65 |  50  80  50  10
swingfore 14   2 |  10 -20 14 |  18 -40 14 |  70 110  10 -40 |  20  50  50  30
serve     -8 -22 |  15  -5  6 | -12 -26  6 | 160 176  25   5 | 140 160  15   5
golf      34  42 |  14 -12 12 |  10 -14 12 |  42  36 -14 -26 |  40  36 -14 -26
golfup     6  10 |  10  -6  8 | -12 -40  8 | 130 190  20 -60 | 110 170 -10 -50
bat       14  12 |  25 -14 16 |   5 -24 16 |  62 120  10 -50 |  45 115  10 -60
climb     -4 -18 |  78 -18 38 |  12 -18 25 | 160 172  28   5 | 112 158  50  10
climb2    -4 -18 |  20 -12 28 |  72 -22 40 | 120 165  45   5 | 165 175  22   5
board     18   8 |  38 -18 20 |  24 -28 22 |  22  40  62  45 | -12  14  70  55
ride       2   2 |  58  -6 30 |  56  -6 30 |  30  76  12 -14 |  30  76  12 -14
bow        0   0 |   8  -3 12 |  -8  -6 12 |  88  90  12   2 |  70  95  50 -75
guard      6   2 |  24 -12 10 | -14 -34 10 |  50 130  12 -18 |  30 120  14 -22
highkick -14   2 |  98  88 14 |   2  -8  8 |  30 110  24 -20 |  -5  60  40  10
punch     12   4 |  34 -10 10 | -20 -34 10 |  86  92   4  -6 |  30 125  14 -24
smash     -4 -14 | -10 -55  6 |  -4 -50  8 | 150 175  16   6 | 100 120  40  20
squat     36  14 |  88 -26 24 |  86 -26 24 |  92  92  18   0 |  92  92  18   0
overhead   0  -4 |  10  -6 16 |   8  -8 16 | 174 180  34   6 | 174 180  34   6
deadlift  58  40 |  55 -24 14 |  55 -24 14 |   6   4  10   0 |   6   4  10   0
curl       0   2 |   4  -2  8 |  -4  -6  8 |   4 126   8   0 |   4  20   8   4
pushup    69  60 | -70 -70  3 | -70 -70  3 |   4   0  12   4 |   4   0  12   4
pushlow   83  76 | -83 -83  3 | -83 -83  3 | -58   6  30   4 | -58   6  30   4
downdog  132 146 | -30 -32  5 | -34 -36  5 |  50  46   6   0 |  50  46   6   0
warrior    0   0 |  84  -4 10 | -52 -54 10 |  92  92   0   0 | -88 -88   0   0
tree       0   0 |  62 -62 62 |   0   0  2 | 178 182  22 -22 | 178 182  22 -22
stretch   52  60 |  86  84 24 |  86  84 24 |  84  86   4   0 |  80  84   4   0
rowback  -24  -8 |  82  78  6 |  82  78  6 | -18  80  16   0 | -18  80  16   0
rowfront  26   8 | 112 -24  6 | 112 -24  6 |  76  80   4   0 |  76  80   4   0
ballsit    2   0 |  86  -4 26 |  86  -4 26 |  92  94  30   4 |  92  94  30   4
ballup     2  -4 |  84  -4 26 |  84  -4 26 | 170 176  16   4 | 170 176  16   4
bike      42  14 |  84  -4  4 |  34 -38  4 |  64  58   6   0 |  62  56   6   0
racebike  58  20 |  92   0  3 |  42 -36  3 |  66  60   4   0 |  64  58   4   0
bmx       36  10 |  60 -14  6 |  46 -46  6 |  54  74  20 -10 |  52  72  20 -10
unicycle   2   0 |  60 -10  5 |  22 -26  5 |  20  40  62  60 |  10  30  68  62
cook      14  24 |   4  -2  6 |  -3  -5  6 |  26  84   8 -16 |  16  88   8 -26
cook2     16  26 |   4  -2  6 |  -3  -5  6 |  40  74  10 -24 |  30  70  10 -10
mop       26  20 |  22   4  8 | -20 -30  8 |  44  52   2 -12 |  26 112   8 -18
mop2      32  24 |  26   2  8 | -16 -26  8 |  62  66   2 -14 |  40 104   6 -20
dig       44  30 |  34 -14 10 | -16 -40  8 |  34  36   2 -14 |  28  96  12 -22
digup     10   8 |  20  -8 10 | -12 -24  8 |  60  80   6 -20 |  30 100  14 -26
scrub     10   2 |   6  -4  6 |  -8 -10  6 | 100 138  14  -8 |  10  60  12  -6
scrub2    10   4 |   6  -4  6 |  -8 -10  6 |  80  98  14 -26 |  10  60  12  -6
paintup    2 -20 |   8  -2  6 | -10 -12  6 | 138 164   8  -6 | 118 150   4 -22
saw       36  30 |  16  -6 10 | -16 -26 10 |  40  58   6  -4 |  48  52   6  -6
saw2      38  30 |  16  -6 10 | -16 -26 10 | -24  56   8  -4 |  48  52   6  -6
hammer    24  26 |  12  -4  8 | -12 -20 8  | 124 168  14  -6 |  42  60   6 -10
hammer2   30  32 |  12  -4  8 | -12 -20 8  |  50  70  10 -16 |  42  60   6 -10
trim      10   4 |  10  -2  8 |  -8 -12  8 |  76  92   6 -22 |  70  88   6 -22
kneel     36  44 |  88  -8 12 |   6 -84  8 |  34  46   4 -12 |  26  60   4 -16
stoop     84  84 |  24  -8 10 |   4 -12 10 |  20  14   4  -6 |  16  22   4  -8
axeup     -4  -4 |  14  -6 14 |  -2 -10 14 | 158 196 -12 -30 | 150 190 -12 -30
axedown   48  40 |  28 -14 14 |  18 -22 14 |  58  52 -14 -26 |  54  50 -14 -26
push      22  10 |  34  10  3 | -26 -44  3 |  44  64   4  -4 |  44  64   4  -4
carry     -6   2 |  18   0  5 | -10 -24  5 |  16  86   6 -14 |  14  84   6 -14
lift      62  44 |  74 -22 14 |  70 -24 14 |  40  52   6  -8 |  40  52   6  -8
hose       4   8 |  14  -4 10 | -12 -20 10 |  34  78   6 -24 |   8  70  10 -28
kayak     -2   0 |  82  72  8 |  82  72  8 |  76  74  16   8 |  24  84  26   8
swim      80  68 | -80 -84  4 | -94 -98  4 | 150 152   8   4 | -64 -40  16   4
paddle     8  14 |  12 -10 14 |   8 -14 14 |  44  60   4 -16 |  70 108  10 -34
sail     -20  -8 |  24   6 14 |   4  -6 14 |  80  98   6  -8 |  74  92   6  -8
aqua       0   0 |  10  -4 10 | -10 -16 10 |  90 110  70  40 |  90 110  70  40
sit       -3   2 |  88   0  7 |  84  -4  7 |  18  74   8 -10 |  14  70   8 -10
sitphone  -4   6 |  88   2  8 |  82  -6  8 |  32 164  20 -38 |  14  66   8 -14
sittable  12  22 |  88  -2  8 |  84  -6  8 |  40  84   8 -20 |  34  78   8 -16
sittable2 20  28 |  88  -2  8 |  84  -6  8 |  60  78   6 -14 |  36  80   8 -16
easel      4   6 |   8  -2  6 |  -8 -10  6 |  66 108   8  -8 |   8  70  10 -20
ski       36  12 |  62 -22  7 |  54 -28  7 |  40  80  18  -6 |  38  78  18  -6
tuck      62  24 |  92 -20  6 |  86 -24  6 |  60 108   8 -14 |  60 108   8 -14
xcski     24   6 |  34   8  3 | -26 -50  3 | -34  -6  10   0 |  52  84   8  -6
skate     38  14 |  46 -16  5 | -28 -52 14 |  42  62  18   0 | -40 -18  24   4
sled     -20   6 |  84  58 10 |  84  58 10 |  34  70  10  -6 |  34  70  10  -6
fish       0   2 |   8  -3  8 |  -8  -8  8 |  46  90   8 -14 |  36  84   8 -26
cast      -4  -4 |  14  -4  8 | -10 -12  8 |  98 148  14 -12 |  40  96   8 -26
sitfish   -6   2 |  84   6  9 |  80   2  9 |  44  86   8 -14 |  34  80   8 -26
aim        6   8 |  14  -3  9 | -14 -12  9 |  78  98   2 -18 |  56 116  24 -62
hunt       8   6 |  24  -2  5 | -16 -30  5 |  26  84   8 -30 |  10  76  10 -36
arabesque 24   0 | -84 -92  8 |   0   0  3 | 118 122  16   6 |  60  64  70  40
passe      0  -4 |  62 -60 58 |   0   2  3 | 170 190  30 -24 |  80  96  60 -20
leap       4  -2 |  80  66  6 | -72 -78  6 |  96 104  40  20 | -40 -20  60  50
waltz     -2  -6 |  14   2  4 | -10 -22  4 |  62  92  62 -10 |  42  96  40 -28
step       2   2 |  62 -14  6 |  -2  -8  6 | 120 160  40  10 |  40 120  30 -20
step2      2   2 |   6  -6  8 |  -2  -6  8 |  60 120  70   0 |  60 120  70   0
salsa      6   0 |  34 -26 14 |  -8 -16 10 |  34 108  56 -10 | 130 172  40   0
salsa2    -4   2 |  10 -12 10 |  26 -30 16 | 120 165  50   0 |  20  90  50 -10
irish      0   0 |  82  40  0 |  -2  -4  0 |   0   0   5   0 |   0   0   5   0
irish2     0   0 |  40 -64 20 |  -2  -6  0 |   0   0   5   0 |   0   0   5   0
climbhill 24   4 |  62  -4  4 | -10 -26  4 |  30  70  10  -6 | -10  20  10   0
guitar    -2  12 |   6  -2 10 |  -4  -8 10 |  20  86  36  30 |   4  70  22 -58
strum     -2  12 |   6  -2 10 |  -4  -8 10 |  20  92  38  26 |  14  58  26 -50
drumhit    8  10 |  70  -8 26 |  70  -8 26 |  40 118  24 -14 |  46  66  14 -16
drumhit2   8  10 |  70  -8 26 |  70  -8 26 |  46  66  14 -16 |  40 118  24 -14
violin     2  10 |  88   0 12 |  84  -4 10 |  56 108  40 -10 |  42 102  44 -56
piano      6  10 |  82   0  8 |  78  -4  8 |  26  82   8   2 |  26  84   8  -4
piano2     8  12 |  82   0  8 |  78  -4  8 |  34  86  12  10 |  20  78   6  -8
trumpet   -4  -6 |   6  -2  7 |  -6  -8  7 |  62 122  24 -30 |  56 116  26 -36
conduct    2  -2 |   6  -2  7 |  -6  -8  7 | 110 150  44  10 |  60 116  44  -6
conduct2   2   0 |   6  -2  7 |  -6  -8  7 |  50 100  50  10 |  40  96  50   4
recline  -48 -30 |  74  62  6 |  66  50  7 | -18  62  14 -10 |  10  70  10 -20
lie      -87 -84 |  88  88  5 |  87  86  6 |  86  84  14   6 |  88  86  14   6
read      -3  18 |  88   0  7 |  84  -4  7 |  28 108   8 -18 |  28 106   8 -18
phone      2   6 |   4  -2  6 |  -4  -6  5 |  30 166  20 -36 |   4  20   9   4
"""

POSES: dict[str, NDArray[np.float64]] = {
    line.split()[0]: np.array([float(v) for v in line.replace("|", " ").split()[1:]])
    for line in _POSES.strip().splitlines()
}

# A row: size among MPII's training images | name | scenes | poses (the motion goes to the second; ~ = sides swapped)
# | prop | options: yaw (front, side, any), wear, people, lift, sd (degrees of variety).
_ACTIVITIES = """
# sports 3472
184 | skateboarding | street street court park | board board | skateboard \
| yaw=side wear=light+helmet people=1 lift=.045
173 | softball, general | park park field | bat swingfore | bat | wear=light+cap
156 | rope skipping, general | gym gym court street | jog jog~ | rope | yaw=front lift=.05
147 | rock climbing | rock rock rock gym | climb climb2 | holds | yaw=back people=1 wear=light lift=.5
143 | golf | park park field | golf golfup | club | yaw=any people=1 wear=any+cap
137 | soccer | park park field court | kick windup | ball_foot | wear=light
131 | horseback riding | field park street | ride ride | horse | yaw=side people=1 lift=.42 wear=any+helmet
131 | basketball | court court court gym | shoot dribble | ball_hand | wear=light
129 | martial arts, different types | gym court room | highkick guard | none | yaw=any people=2
65 | tennis, doubles | court court park | swingback swingfore | racket | people=2 wear=light
# occupation 2370
164 | forestry | forest forest park | saw saw2 | chainsaw | wear=work+helmet people=1
157 | carpentry, general | site site room | saw saw2 | bench | wear=work
67 | cook, chef | room room | cook cook2 | counter | wear=work+chef
63 | fire fighter | street street site | hose hose | hose | wear=work+helmet
53 | masonry, concrete | site site street | stoop kneel | bricks | wear=work+helmet
# conditioning exercise 1688
283 | yoga, Power | gym room park | warrior tree | mat | wear=light sd=5
142 | resistance training | gym gym room | curl curl~ | dumbbells | wear=light
150 | rowing, stationary | gym gym room | rowback rowfront | rower | yaw=side wear=light lift=.09
114 | calisthenics | gym park room court | pushup pushlow | mat | yaw=side wear=light sd=4
102 | bicycling, stationary | gym gym room | bike bike~ | exercise_bike | yaw=side wear=light lift=.14
86 | therapeutic exercise ball, Fitball exercise | gym room | ballsit ballup | fitball | wear=light
65 | stretching, mild | gym park room | stretch downdog | mat | yaw=side wear=light sd=5
31 | weight lifting, power lifting | gym gym | overhead deadlift | barbell | wear=light people=1 yaw=front
# home activities 1382
207 | cooking or food preparation | room room | cook cook2 | counter | yaw=any
93 | playing with animals | park room field | kneel stoop | dog_front | yaw=side
52 | ironing | room room gym | cook2 cook | ironing | yaw=any
50 | vacuuming, general, moderate effort | room room gym | mop mop2 | vacuum | people=1
48 | mopping, standing, light effort | room court street | mop mop2 | mop |
# lawn and garden 1096
111 | trimming shrubs or trees | park park street | trim paintup | shears | wear=work
93 | mowing lawn, walk, hand mower (Taylor Code 570) | park park field | push push~ | mower | people=1
86 | chopping wood | forest park field | axeup axedown | axe | people=1 wear=work
63 | digging, spading, filling garden, composting | field park forest | dig digup | shovel | wear=work
56 | planting seedlings, shrub, stooping, moderate effort | field park | kneel stoop | plant |
48 | shoveling snow, by hand | snow snow | dig digup | shovel | wear=warm
3 | racking lawn | park forest | mop mop2 | rake |
# home repair 1068
84 | washing and waxing car | street street park | scrub scrub2 | car | people=1
83 | painting inside house,wallpapering, scraping paint | room room site | paintup scrub2 | roller | yaw=back wear=work
13 | hammering nails | site room park | hammer hammer2 | hammer | wear=work
# water activities 1018
127 | canoeing, kayaking, rowing, competitive | lake lake sea | kayak kayak~ | kayak | yaw=side wear=any lift=.02
68 | windsurfing | sea lake | sail sail | windsurf | yaw=back wear=swim people=1 lift=.05
67 | swimming, general | pool pool sea lake | swim swim~ | water_deep | yaw=side wear=swim lift=0
50 | water aerobics, water calisthenics | pool pool | aqua jog | water_chest | wear=swim yaw=front
44 | paddle boarding, standing | sea lake | paddle paddle | sup | wear=swim people=1 lift=.05
41 | surfing | sea sea | board board | surfboard | wear=swim people=1 lift=.05
# miscellaneous 753
85 | standing, talking in person | room street park | talk stand | none | people=2
60 | sitting, talking in person, on the phone, computer, or text messaging, light effort \
| room park street | sitphone sit | chair |
54 | drawing, writing, painting, standing | room park stage | easel easel | easel | people=1
34 | chess game, sitting | room park | sittable sittable2 | chess | yaw=side
# winter activities 742
203 | skiing, downhill | snow snow | ski tuck | skis | wear=warm
52 | skating, ice | rink rink snow | skate skate~ | skates | wear=any
14 | skiing, cross-country | snow snow forest | xcski xcski~ | skis | wear=warm yaw=side
29 | sledding, tobogganing, bobsledding, luge (Taylor Code 370) | snow snow | sled sled | sled | wear=warm lift=.07
16 | snowboarding | snow snow | board board | snowboard | wear=warm people=1 lift=.02
# fishing and hunting 712
123 | fishing, general | lake park sea | fish cast | rod | wear=any+brim
78 | fishing in stream, in waders (Taylor Code 670) | lake forest | fish cast | rod_water | wear=work+brim
76 | fishing from boat or canoe, sitting | lake lake sea | sitfish sitfish | boat | wear=any+brim yaw=side lift=.06
33 | hunting, general | forest field snow | aim hunt | rifle | wear=work+cap
# dancing 697
156 | ballet, modern, or jazz | stage room gym | arabesque passe | none | wear=light
154 | ballroom | stage room court | waltz waltz~ | none | people=pair wear=formal yaw=side
137 | aerobic, step | gym gym court | step step2 | stepper | wear=light yaw=front lift=.06
73 | ethnic or cultural dancing (e.g., Greek, Middle Eastern, hula, salsa, merengue, bamba y plena, flame \
| stage street room | salsa salsa2 | none |
30 | Irish step dancing | stage court street | irish irish2 | none | yaw=front people=2 sd=4
# walking 583
110 | backpacking | forest field park | walk walk~ | backpack | yaw=any
83 | walking, for exerceise, with ski poles | forest park snow | walk walk~ | poles |
72 | walking, general | street park field | walk walk~ | none |
33 | walking the dog | street park street | walk walk~ | dog | yaw=side
# music playing 540
56 | drums, sitting | stage stage room | drumhit drumhit2 | drums | yaw=front people=1
42 | violin, sitting | stage room | violin violin | violin | wear=formal
37 | guitar, rock and roll band, standing | stage stage street | guitar strum | guitar | yaw=front
21 | piano, sitting | stage room | piano piano2 | piano | yaw=side wear=formal people=1
19 | conducting orchestra, standing | stage stage | conduct conduct2 | baton | wear=formal people=1
11 | trumpet, standing | stage street | trumpet trumpet | trumpet |
# bicycling 518
215 | bicycling, mountain | forest forest field park | bmx bike~ | mountain_bike | yaw=side wear=light+helmet lift=.13
155 | bicycling, racing and road | street street field | racebike racebike~ \
| road_bike | yaw=side wear=light+helmet lift=.13
81 | bicycling, BMX | street park court | bmx bmx | bmx | yaw=side wear=any+helmet people=1 lift=.11
20 | unicycling | street court street | unicycle unicycle~ | unicycle | lift=.14 people=1
# running 293
115 | running | court court park street | run run~ | none | wear=light lift=.03
58 | jogging | park park street | jog jog~ | none | wear=light lift=.02
35 | running, marathon | street street | run jog~ | bib | wear=light people=3 lift=.02
# inactivity quiet/light 187
71 | standing quietly, standing in a line | street room gym | stand stand~ | none | people=3 yaw=any
55 | reclining | park room | recline recline | lounger | yaw=side lift=.12
49 | sitting quietly | room park street | sit read | chair |
12 | lying quietly, sleeping | room park | lie lie | bed | yaw=side lift=.165
"""


@dataclass(frozen=True)
class Activity:
    """One activity: MPII's name and number of images, where it happens, poses and thing."""

    category: str
    name: str
    size: int
    scenes: tuple[str, ...]
    poses: tuple[str, str]
    prop: str
    yaw: str = "any"
    wear: str = "any"
    people: str = ""  # how many; "" draws 1-3, "pair" two face to face
    lift: float = 0.0
    sd: float = 8.0


def _parse() -> tuple[dict[str, int], tuple[Activity, ...]]:
    sizes: dict[str, int] = {}
    activities: list[Activity] = []
    for line in _ACTIVITIES.strip().splitlines():
        if line.startswith("#"):
            category, _, size = line[2:].rpartition(" ")
            sizes[category] = int(size)
            continue
        size, name, scenes, poses, prop, options = (field.strip() for field in line.split("|"))
        chosen: dict[str, Any] = dict(option.split("=") for option in options.split())
        chosen |= {key: float(chosen[key]) for key in ("lift", "sd") if key in chosen}
        first, second = poses.split()
        activities.append(Activity(category, name, int(size), tuple(scenes.split()), (first, second), prop, **chosen))
    return sizes, tuple(activities)


CATEGORY_SIZES, ACTIVITY_TABLE = _parse()
CATEGORIES: tuple[str, ...] = tuple(CATEGORY_SIZES)
ACTIVITIES: tuple[str, ...] = tuple(a.name for a in ACTIVITY_TABLE)


def largest_remainder(weights: NDArray[np.float64], seats: int, least: int = 0) -> NDArray[np.int64]:
    """Share `seats` in proportion to the weights (n,), at least `least` each where they suffice; (n,) counts."""
    count = len(weights)
    least = least if seats >= least * count else 0
    quota = weights / weights.sum() * seats
    quota = np.maximum(quota, least)
    while quota.sum() > seats + 1e-9:  # what the small ones were given is taken from the large ones
        large = quota > least
        quota[large] = np.maximum(least, quota[large] * (1 - (quota.sum() - seats) / quota[large].sum()))
    counts = np.floor(quota + 1e-9).astype(np.int64)
    rest = np.argsort(-(quota - counts), kind="stable")[: seats - counts.sum()]
    counts[rest] += 1
    return counts


def share_videos(videos: int, balanced: bool = False, least: int = 2, categories: int | None = None) -> list[Activity]:
    """Choose the activity of each of so many videos.

    The largest `categories` come in MPII's proportions and get `least` videos or more each; by default these are a
    quarter as many as there are videos, or all when `least` is 0. Within a category the activities share in proportion
    too, each with one video or more where that is possible. `balanced` gives all categories, and all activities within
    one, the same number.
    """
    sizes = np.array([1.0 if balanced else size for size in CATEGORY_SIZES.values()])
    if categories is None:
        categories = max(1, videos // 4) if least and not balanced else len(sizes)
    sizes[np.argsort(-sizes, kind="stable")[categories:]] = 0
    used = sizes > 0
    counts = np.zeros(len(sizes), np.int64)
    counts[used] = largest_remainder(sizes[used], videos, least)
    chosen: list[Activity] = []
    for category, count in zip(CATEGORIES, counts, strict=True):
        rows = [a for a in ACTIVITY_TABLE if a.category == category]
        shares = largest_remainder(np.array([1.0 if balanced else a.size for a in rows]), int(count), least=1)
        chosen += [a for a, n in zip(rows, shares, strict=True) for _ in range(n)]
    return chosen
