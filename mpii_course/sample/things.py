"""The table of things that people use; `props` reads it.

A thing's name stands at the margin, its parts below. A part is

    @bias kind radius colour : points

with the kinds hull (convex hull of balls; one radius, or one for each point), flat (the same without shine), line, ring
(centre, its radius) and box (centre, half sizes). "@bias" starts parts that are drawn together and brings them nearer
by that much. A point is a sum of named points and (forward, left, up) in units of a grown-up's height; "name.fu" keeps
only some coordinates. "~" stands for both sides; {a|b} repeats the part with a and with b. "let" names a point, "unit"
a direction; "with" takes over another thing.

Names of points, for a body that leads with its left: lead, trail (hands), hands (their middle), arm, fore (forearm of
the leading hand, and its direction), across (at right angles to fore), top, floor (ends of a shaft through both hands
to the ground), anl, anr, ankles, tol, tor (left and right ankle and toe), shl, shr (shoulders), pelvis, thorax, neck,
up, back (along and out of the spine), chest (its front), low, high (corners of the body), desk (below the leading
hand). Colours: own and second (drawn by lot), steel, wood, dark, white, rubber, stick, or R,G,B; own*.7+80,55,35 mixes.
"""

TABLE = """
shovel
  unit w lead-trail
  @.1 hull .01 wood : trail-.12w lead+.34w
  hull .045/.035 steel : lead+.34w lead+.47w
vacuum
  @.1 hull .017 dark : top floor
  hull .026 own : floor(-.02,~.08,0)
  box .006 own : floor.fl(-.05,0,.05) (.1,.08,.045)
rake
  @.1 hull .01 wood : top floor
  hull .006 steel : floor(0,{-.11|-.055|0|.055|.11},0) floor(.03,{-.13|-.065|0|.065|.13},0)
  hull .009 steel : floor(0,~.11,0)
mop
  @.1 hull .01 steel : top floor
  hull .018 white : floor(0,~.1,0) floor(0,~.1,.02)
  box .006 own : floor.fl(-.05,.28,.07) (.06,.06,.06)
racket
  let c lead+.22fore
  @.12 hull .011 dark : lead-.03fore c-.07fore
  ring .009 own : c (.09,0,0)
  line .0015 white : c({-.04|0|.04},0,-.06) c({-.04|0|.04},0,.06)
  hull .026 215,235,60 : lead(.5,.1,.25)
club
  @.12 hull .007 steel : lead lead+.42fore
  hull .016 dark : lead+.42fore lead+.42fore(.05,0,0)
  hull .016 white : (.55,0,.014)
bat
  unit a arm(0,0,.25)
  unit w a.lu-.3a.f(-.1,0,.5)
  @.12 hull .011/.026 wood : lead lead+.42w
  hull .03 white : lead(.5,0,-.05)
axe
  let end lead+.3fore
  @.12 hull .011 wood : lead-.1fore end
  hull .014 steel : end-.08across end+.02across end-.06fore
  box .006 wood : (.42,0,.08) (.08,.08,.08)
rifle
  unit w lead-trail
  @.12 hull .026/.016 wood : trail-.16w(0,0,-.03) trail
  hull .011 dark : trail lead+.32w
rod_water
  let tip lead(.612,.085,.51)
  @.12 hull .011/.005 stick : lead(-.086,-.012,-.072) tip
  line .002 white : tip tip(.25,0,-.5) tip.fl(.35,0,0)
rod
  @-1 box .006 wood : (-.02,0,-.025) (.24,.34,.02)
  with rod_water
skateboard
  let m ankles.fl(.02,0,.045)
  @-.2 hull .018 dark : ({0|0|.06|.06},{-.14|.14|-.14|.14},.018)
  hull .011 own : m(0,~.24,.018) m(.05,~.168,0) m(-.05,~.168,0)
surfboard
  let m ankles.fl(.02,0,.02)
  @-.2 hull .011 own : m(0,~.5,.018) m(.1,~.35,0) m(-.1,~.35,0)
snowboard
  let m ankles.fl(.02,0,.02)
  @-.2 hull .011 own : m(0,~.36,.018) m(.05,~.252,0) m(-.05,~.252,0)
sup
  let m ankles.fl(.02,0,.02)
  unit w lead-trail
  @-.2 hull .011 own : m(0,~.62,.018) m(.12,~.434,0) m(-.12,~.434,0)
  @.1 hull .009 dark : trail-.03w lead+.45w
  hull .03/.04 white : lead+.45w lead+.59w
windsurf
  let m ankles.fl(.02,0,.02)
  @-.2 hull .011 own : m(0,~.6,.018) m(.1,~.42,0) m(-.1,~.42,0)
  @-.05 flat .008 own : (.35,0,.16) (.16,.1,1.25) (.3,-.62,.42)
  @.1 hull .012 dark : (.33,.1,.04) (.16,.1,1.25)
  hull .011 dark : (.3,.1,.52) (.3,-.6,.5)
sled
  @-.1 box .006 own : pelvis.fu(.16,0,-.085) (.32,.11,.02)
  hull .012 dark : pelvis.f(-.16,{-.1|.1},.02) pelvis.f(.5,{-.1|.1},.02)
kayak
  let c pelvis.f(.2,0,0)
  unit w lead-trail
  @-.35 hull .012 own : c(-.8,0,.1) c(.8,0,.1) c(-.64,{.13|-.13},0) c(.64,{.13|-.13},0) c(-.56,{.13|-.13},.08) \
c(.56,{.13|-.13},.08)
  @.45 hull .012 own : c(-.8,0,.05) c(.8,0,.05) c(-.64,~.117,-.05) c(.64,~.117,-.05) c(-.56,~.117,.03) \
c(.56,~.117,.03)
  @.5 hull .009 dark : lead+.3w trail-.3w
  hull .025/.04 own : lead+.3w lead+.42w
  hull .025/.04 own : trail-.3w trail-.42w
boat
  let c pelvis.f(.2,0,0)
  @-.35 hull .012 wood : c(-.7,0,.22) c(.7,0,.22) c(-.56,{.24|-.24},0) c(.56,{.24|-.24},0) c(-.49,{.24|-.24},.18) \
c(.49,{.24|-.24},.18)
  @.45 hull .012 wood : c(-.7,0,.17) c(.7,0,.17) c(-.56,~.216,-.05) c(.56,~.216,-.05) c(-.49,~.216,.13) \
c(.49,~.216,.13)
  with rod_water .5
horse
  let p pelvis.fu
  @-.3 hull .05/.024 own*.225+72,50,32 : p({-.3|-.3|.26|.26},{-.07|.07|-.07|.07},-.25) \
p.f({-.35|-.35|.32|.32},{-.07|.07|-.07|.07},.02)
  @-.1 hull .14/.13 own*.25+80,55,35 : p(-.26,0,-.2) p(.24,0,-.19)
  hull .025/.012 dark : p(-.38,0,-.15) p(-.46,0,-.43)
  @-.05 hull .022 dark : p(.26,0,-.01) p(.44,0,.2)
  hull .1/.06 own*.25+80,55,35 : p(.28,0,-.13) p(.5,0,.14)
  hull .06/.036 own*.25+80,55,35 : p(.5,0,.15) p(.66,0,.01)
  @.2 line .003 dark : lead p(.6,0,.07)
dog_body
  @0 hull .014 own*.17+98,72,47 : d-.1x(0,{-.03|.03},.13) d-.1x(0,{-.03|.03},0)
  hull .014 own*.17+98,72,47 : d+.1x(0,{-.03|.03},.13) d+.1x(0,{-.03|.03},0)
  hull .012 own*.2+115,85,55 : d-.15x(0,0,.19) d-.22x(0,0,.27)
  hull .05/.055 own*.2+115,85,55 : d-.11x(0,0,.16) d+.11x(0,0,.17)
  hull .042/.024 own*.2+115,85,55 : d+.18x(0,0,.25) d+.25x(0,0,.235)
  hull .016 own*.12+69,51,33 : d+.155x(0,0,.27) d+.14x(0,0,.22)
dog
  let d (.42,.22,0)
  let x (1,0,0)
  with dog_body
  @.1 line .004 dark : trail d(.14,0,.22)
dog_front
  let d (.5,0,0)
  let x (-1,0,0)
  with dog_body
mat
  @-.6 flat .008 own : low.f(-.12,~.2,.002) high.f(.12,~.2,.002)
dumbbells
  @.08 hull .01 steel : lead(-.06,0,0) lead(.06,0,0)
  hull .032 dark : lead({-.07|.07},0,0)
  @.08 hull .01 steel : trail(-.06,0,0) trail(.06,0,0)
  hull .032 dark : trail({-.07|.07},0,0)
barbell
  let a hands(0,-.42,0)
  let b hands(0,.42,0)
  @.1 hull .009 steel : hands(0,-.52,0) hands(0,.52,0)
  hull .014 {own|dark} : a({.1|.1},{0|-.035},0) a(-.1,{0|-.035},0) a(0,{0|-.035},~.1) a(.07,{0|-.035},.07) \
a(-.07,{0|-.035},-.07)
  hull .014 {own|dark} : b({.1|.1},{0|.035},0) b(-.1,{0|.035},0) b(0,{0|.035},~.1) b(.07,{0|.035},.07) \
b(-.07,{0|.035},-.07)
stepper
  @-.3 box .006 own : (.1,0,.035) (.11,.26,.035)
rower
  @-.1 box .006 steel : (.12,0,.07) (.55,.025,.012)
  hull .12 dark : (.6,0,.16)
  line .003 white : (.6,0,.16) hands
  @.1 hull .01 dark : lead trail
  @-.05 box .006 own : pelvis.fu(0,0,-.085) (.07,.08,.02)
chair
  let s pelvis.fu(.06,0,-.075)
  @-.12 hull .011 own*.7 : s({-.11|-.11|.11|.11},{-.1|.1|-.1|.1},0) s.f({-.11|-.11|.11|.11},{-.1|.1|-.1|.1},0)
  box .006 own : s (.13,.12,.014)
  flat .012 own : s(-.13,~.1,.03) s(-.13,~.1,.3)
stool
  let s pelvis.fu(.06,0,-.075)
  @-.12 hull .011 30,30,35 : s({-.11|-.11|.11|.11},{-.1|.1|-.1|.1},0) s.f({-.11|-.11|.11|.11},{-.1|.1|-.1|.1},0)
  box .006 dark : s (.13,.12,.014)
chess
  let t pelvis.fu(.42,0,.07)
  with chair
  @.12 hull .011 wood : t({-.16|-.16|.16|.16},{-.2|.2|-.2|.2},0) t.f({-.16|-.16|.16|.16},{-.2|.2|-.2|.2},0)
  box .006 wood : t (.18,.22,.012)
  @.2 hull .014/.009 {dark|white|dark|white|dark} : t({-.1|-.05|0|.05|.1},-.07,.02) t({-.1|-.05|0|.05|.1},-.07,.055)
  hull .014/.009 {dark|white|dark|white|dark} : t({-.1|-.05|0|.05|.1},0,.02) t({-.1|-.05|0|.05|.1},0,.055)
  hull .014/.009 {dark|white|dark|white|dark} : t({-.1|-.05|0|.05|.1},.07,.02) t({-.1|-.05|0|.05|.1},.07,.055)
counter
  @.02 box .006 own : (.4,0,.22) (.13,.42,.22)
  @.05 hull .016 dark : (.36,-.06,.47) (.36,-.18,.47)
  hull .05 steel : (.36,.12,.46) (.36,.12,.53)
  @.1 hull .008 wood : lead lead(.06,0,-.1)
bench
  @0 hull .011 wood : desk({.3|.3|.58|.58},{-.32|.32|-.32|.32},0) ({.3|.3|.58|.58},{-.32|.32|-.32|.32},0)
  box .006 wood : desk(.44,0,0) (.16,.34,.012)
  @.1 hull .008 steel : lead(-.03,0,-.02) lead(.24,0,-.04) lead(0,0,-.05)
  @.03 hull .02 206,168,112 : desk(.4,~.36,.03)
ironing
  @.02 hull .018 own : (.3,-.35,.47) (.3,.3,.47) (.4,-.35,.47) (.36,.42,.47)
  hull .01 steel : (.34,{-.2|.2},.45) (.34,{.2|-.2},0)
  @.1 hull .02/.012/.02 white : lead.fl(0,0,.52) lead.fl(.09,0,.5) lead.fl(-.02,0,.5)
lounger
  @-.3 hull .02 own : pelvis(-.28,~.12,.14) pelvis(.42,~.12,-.1) pelvis(0,0,-.1)
  hull .015 wood : pelvis({-.15|.3},0,-.1) pelvis.f({-.15|.3},0,0)
bed
  @-.5 box .006 own : (.08,0,.08) (.62,.2,.07)
  box .006 white : (-.42,0,.17) (.1,.14,.02)
easel
  let c (.42,.12,.72)
  @-.02 hull .012 wood : c ({.5|.38},{-.1|.3},0)
  flat .008 white : c(.02,~.17,.22) c(-.02,~.17,-.22)
  flat .02 own : c(-.01,.1,-.1) c(-.01,.02,-.01)
  flat .02 second : c(-.01,-.1,0) c(-.01,-.02,.09)
car
  @-.15 box .006 own : (.48,0,.16) (.2,.75,.1)
  box .006 own*.9 : (.48,-.05,.33) (.16,.42,.07)
  hull .01 150,185,205 : (.3,-.32,.29) (.3,-.32,.37) (.3,.16,.29) (.3,.16,.37)
  @-.1 hull .09 rubber : (.28,{-.48|.48},.09)
  @.1 hull .04 240,215,90 : lead(.02,0,0)
drums
  let f pelvis.f(.42,0,0)
  with stool
  @.1 hull .006 steel : f(0,{-.36|.36},.6) f(0,{-.36|.36},0)
  hull .008 214,180,84 : f(0,{-.48|.24},.598) f(0,{-.24|.48},.602)
  hull .16 own : f(.05,0,.16) f(-.06,0,.16)
  box .012 own : f(-.08,{-.22|.2|-.07|.09},{.36|.36|.42|.42}) (.06,.07,.04)
  @.2 hull .007 wood : {lead|trail} {lead|trail}(.14,0,.05)
violin
  let chin neck(.04,.04,-.02)
  unit w lead-chin
  with chair
  @.12 hull .04/.032 150,78,36 : chin chin+.12w
  hull .01 dark : chin lead+.03w
  @.18 hull .004 wood : trail 1.8chin+.18w-.8trail
guitar
  let belly pelvis.fu(.1,-.06,.07)
  let head 1.25lead-.25belly
  @.06 hull .085 own : belly(0,-.06,-.02)
  hull .062 own : belly(0,.05,.02)
  hull .014 wood : belly(.03,0,0) head
  hull .022 dark : head
  @.03 line .006 dark : belly(.02,-.1,0) thorax(0,.06,0)
piano
  let k pelvis.f+hands.u(.36,0,-.03)
  with stool
  @0 box .006 own : pelvis.f(.56,0,.3) (.09,.4,.3)
  box .006 own : k(.06,0,-.05) (.09,.38,.03)
  hull .012 white : k(0,{-.3|-.225|-.15|-.075|0|.075|.15|.225|.3},0) \
k(.06,{-.3|-.225|-.15|-.075|0|.075|.15|.225|.3},0)
trumpet
  let mouth neck(.07,0,.045)
  let bell 1.4hands-.4mouth(.14,0,.03)
  @.15 hull .011 214,176,70 : mouth bell
  hull .018/.042 224,188,84 : bell bell(.05,0,0)
baton
  @.15 hull .005 white : lead lead+.16fore
  @.1 hull .009 dark : (.42,0,.5) (.42,0,0)
  hull .006 dark : (.4,~.13,.5) (.4,~.13,.62)
backpack
  let m .5pelvis+.5thorax+.11back
  @0 hull .055 own : m-.1up(0,~.06,0) m+.12up(0,~.06,0)
  hull .035 second : m-.01back+.2up(0,~.1,0)
  @.02 hull .011 own : .7{shl|shr}+.3thorax-.035back m-.16back(0,{.05|-.05},0)
bib
  @.02 flat .004 white : chest(0,~.05,-.04) chest(0,~.05,.04)
  flat .013 dark : chest(.006,~.03,0)
skates
  @.05 hull .009 steel : {anl|anr}(-.04,0,-.05) {tol|tor}(.03,0,-.022)
poles
  @.05 hull .008 dark : {lead|trail}(.02,0,.04) {lead|trail}.fl(-.12,0,.02)
chainsaw
  @-.05 hull .1 112,82,54 : (.5,~.5,.12)
  @.1 box .006 220,110,30 : lead(-.02,0,-.02) (.06,.04,.04)
  hull .022 steel : lead(.05,0,-.03) lead(.3,0,-.1)
hose
  @.08 line .014 200,150,40 : (-.5,.2,.02) trail(-.25,.1,-.42) trail(-.125,.05,-.21) trail lead
  hull .018 steel : lead lead(.12,0,.02)
  @.09 line .012 205,225,240 : lead(.12,0,0) lead(.23,0,.02) lead(.35,0,.01) lead(.46,0,-.03) lead(.69,0,-.21) \
lead(.92,0,-.51)
bricks
  @-.05 box .006 176,88,64 : (.46,{-.225|-.075|.075|.225},.035) (.05,.07,.03)
  box .006 176,88,64 : (.46,{-.15|0|.15},.105) (.05,.07,.03)
  box .006 176,88,64 : (.46,{-.225|-.075|.075|.225},.175) (.05,.07,.03)
  @.1 hull .01/.02 steel : lead lead(.1,0,-.02)
hammer
  unit a arm(0,0,.3)
  @.1 hull .009 wood : lead lead+.14a
  hull .018 dark : lead+.14a(-.04,0,0) lead+.14a(.04,0,0)
  @0 hull .011 wood : ({.32|.32|.56|.56},{-.3|.3|-.3|.3},.38) ({.32|.32|.56|.56},{-.3|.3|-.3|.3},0)
  box .006 wood : (.44,0,.38) (.14,.32,.012)
roller
  @.05 hull .008 steel : lead lead(.1,0,.24)
  hull .026 own : lead(.1,~.07,.26)
  box .006 own : (.3,.35,.06) (.06,.06,.06)
shears
  @-.1 hull .2 52,104,44 : (.62,-.2,.2)
  hull .21 70,118,44 : (.64,.2,.22)
  hull .2 88,132,44 : (.59,0,.42)
  hull .18 106,146,44 : (.62,0,.16)
  @.1 hull .01 steel : {lead|trail} {lead|trail}(.2,0,{.05|.08})
plant
  @0 hull .05/.065 176,92,58 : (.4,0,.03) (.4,0,.1)
  hull .008/.022 58,132,58 : (.4,0,{.1|.1|.1|.1|.1}) ({.48|.43|.34|.33|.41},{0|.093|.068|-.044|-.1},.26)
mower
  let d hands.f(.36,0,.1)
  @.02 hull .01 steel : hands(0,{-.08|.08},0) d(-.1,{-.1|.1},.02)
  @0 hull .048 rubber : d({-.12|-.12|.14|.14},{-.12|.12|-.12|.12},-.05)
  box .006 own : d (.16,.12,.05)
  hull .045 dark : d(.02,0,.07)
ball_hand
  @.08 hull .07 214,116,48 : hands(.05,0,.06)
"""
