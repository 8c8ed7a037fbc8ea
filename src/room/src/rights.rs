//! Who may do what: the one table of rights, and who may act upon whom.
//!
//! A right follows from the role in the class session, the mode of the room and
//! the floor, and from nothing else. The base is TT 21/2017/TT-BGDĐT, Điều 8 and
//! 9–12; the three modes are those of Vietnamese meeting practice.

use lophoc_protocol::{Action, Role, RoomMode};

/// When a role may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    /// Always.
    Yes,
    /// Never.
    No,
    /// While holding the floor.
    Floor,
    /// Freely in a discussion, otherwise while holding the floor.
    Talk,
    /// Freely, but in a conference while holding the floor.
    Call,
    /// While the task was handed over.
    Given,
}
use When::{Call, Floor, Given, No, Talk, Yes};

/// One row an action; the columns are the roles in the order of [`Role::ALL`].
#[rustfmt::skip]
const TABLE: [(Action, [When; 9]); 34] = [
    //                     organiser chair  trainer adviser technician secretary inspector learner guest
    (Action::Speak,       [Yes,      Yes,   Yes,    Call,   Call,      Call,     Floor,    Talk,   Talk]),
    (Action::ShowCamera,  [Yes,      Yes,   Yes,    Yes,    Yes,       Yes,      Floor,    Yes,    Yes]),
    (Action::ShareScreen, [Yes,      Yes,   Yes,    Floor,  Floor,     Floor,    Floor,    Floor,  Floor]),
    (Action::Chat,        [Yes,      Yes,   Yes,    Yes,    Yes,       Yes,      Yes,      Yes,    Yes]),
    (Action::RaiseHand,   [Yes,      Yes,   Yes,    Yes,    Yes,       Yes,      Yes,      Yes,    Yes]),
    (Action::LowerHands,  [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::Mute,        [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::AskUnmute,   [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::GiveFloor,   [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::Remove,      [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::Lock,        [Yes,      Yes,   Yes,    Yes,    Yes,       No,       No,       No,     No]),
    (Action::SetMode,     [Yes,      Yes,   Yes,    No,     No,        No,       No,       No,     No]),
    (Action::Start,       [Yes,      Yes,   Yes,    Yes,    No,        No,       No,       No,     No]),
    (Action::Break,       [Yes,      Yes,   Yes,    Yes,    No,        No,       No,       No,     No]),
    (Action::Admit,       [Yes,      Yes,   Yes,    Yes,    Yes,       Yes,      No,       No,     No]),
    (Action::Check,       [Yes,      Yes,   Yes,    Yes,    No,        No,       No,       No,     No]),
    (Action::End,         [Yes,      Yes,   Yes,    No,     No,        No,       No,       No,     No]),
    (Action::Export,      [Yes,      Yes,   No,     No,     No,        Yes,      No,       No,     No]),
    (Action::ChatPrivate, [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
    (Action::Question, [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
    (Action::React, [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
    (Action::Moderate, [Yes, Yes, Yes, Yes, Yes, Yes, No, No, No]),
    (Action::Poll, [Yes, Yes, Yes, Yes, No, Yes, No, No, No]),
    (Action::Slides, [Yes, Yes, Yes, Yes, Yes, Yes, No, Floor, Floor]),
    (Action::Browse, [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
    (Action::HandOut, [Yes, Yes, Yes, Yes, Yes, Yes, No, No, No]),
    (Action::HandIn, [Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
    (Action::Arrange, [Yes, Yes, Yes, Yes, Yes, No, No, No, No]),
    (Action::SetRole, [Yes, Yes, Yes, No, No, No, No, No, No]),
    (Action::Groups, [Yes, Yes, Yes, Yes, Yes, No, No, No, No]),
    (Action::Draw, [Yes, Yes, Yes, Yes, Yes, Yes, No, Yes, Yes]),
    (Action::Caption, [Given, Given, Given, Given, Given, Given, Given, Given, Given]),
    (Action::Record, [Yes, Yes, Yes, No, Yes, Yes, No, No, No]),
    (Action::Notes, [Yes, Yes, Yes, Yes, Yes, Yes, No, Yes, Yes]),
];

fn column(role: Role) -> usize {
    match role {
        Role::Organiser => 0,
        Role::Chair => 1,
        Role::Trainer => 2,
        Role::Adviser => 3,
        Role::Technician => 4,
        Role::Secretary => 5,
        Role::Inspector => 6,
        Role::Learner => 7,
        Role::Guest => 8,
    }
}

/// Whether `role` may do `action` in a room of this mode, holding the floor or not;
/// of a task that is handed over, `floor` says whether it was.
pub fn allowed(role: Role, mode: RoomMode, floor: bool, action: Action) -> bool {
    let when = TABLE
        .iter()
        .find(|(of, _)| *of == action)
        .and_then(|(_, row)| row.get(column(role)))
        .copied()
        .unwrap_or(No);
    match when {
        Yes => true,
        No => false,
        Floor | Given => floor,
        Talk => floor || mode == RoomMode::Discussion,
        Call => floor || mode != RoomMode::Conference,
    }
}

/// Whether a person of role `actor` may mute or remove one of role `target`, or
/// take the floor from him: organisers and chairs yield to each other only.
pub fn may_act_on(actor: Role, target: Role) -> bool {
    let leads = |role| matches!(role, Role::Organiser | Role::Chair);
    leads(actor) || !leads(target)
}
