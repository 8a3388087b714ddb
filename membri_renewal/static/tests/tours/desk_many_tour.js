import {registry} from "@web/core/registry";
import {click, confirmWizard, isEmptyQueue, openApp, openQueue, see, selectAll} from "./desk_steps";

const selected = (count) =>
    see(`${count} are selected`, `.o_control_panel .o_selection_box:contains(${count})`);

const fromMenu = (label) => [
    click("The menu of actions", ".o_cp_action_menus button:contains(Actions)"),
    click(label, `.o-dropdown--menu .o_menu_item:contains(${label})`),
];

// Specification A.5: *Envoyer un courriel de rappel*, to all who wait for one
registry.category("web_tour.tours").add("membri_path_remind_many_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Renouvellements à rappeler"),
        see("Both are listed", ".o_list_view:has(.o_data_row:nth-child(2))"),
        selectAll(),
        selected(2),
        // without its apostrophe, which would open a string in the selector
        click("Remind", ".o_control_panel button:contains(avis de renouvellement)"),
        confirmWizard("2"),
        isEmptyQueue(),
    ],
});

// What several members asked for, granted at once
registry.category("web_tour.tours").add("membri_path_grant_many_fr", {
    url: "/odoo",
    steps: () => [
        ...openApp(),
        openQueue("Demandes de modification de renouvellement"),
        see("Both are listed", ".o_list_view:has(.o_data_row:nth-child(2))"),
        selectAll(),
        selected(2),
        ...fromMenu("Appliquer et approuver plusieurs renouvellements"),
        confirmWizard("2"),
        isEmptyQueue(),
    ],
});
