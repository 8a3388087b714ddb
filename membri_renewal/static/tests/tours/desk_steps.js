import {stepUtils} from "@web_tour/tour_utils";

// What the tours of the desk have in common.

// posting an invoice takes its time on a busy machine
export const SERVER_WORK = 60000;

export const openApp = () =>
    stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Open the memberships");

export const click = (content, trigger) => ({
    content,
    timeout: SERVER_WORK,
    trigger,
    run: "click",
});

export const see = (content, trigger) => ({content, timeout: SERVER_WORK, trigger});

export const fill = (content, trigger, text) => ({
    content,
    timeout: SERVER_WORK,
    trigger,
    run: `edit ${text}`,
});

/** An entry of the app's menu, with the one that it hangs on. */
export const openMenu = (...names) =>
    names.map((name, depth) =>
        click(
            `Menu ${name}`,
            `${depth ? "" : ".o_menu_sections "}[data-menu-xmlid='membri_renewal.menu_membri_${name}']`,
        ),
    );

export const openQueue = (name) =>
    click(`Open the dashboard ${name}`, `.o_kanban_record:contains(${name})`);

export const openRenewal = (member) => [
    click(`Open the renewal of ${member}`, `.o_data_cell:contains(${member})`),
    see("The form is there", `.o_form_view .oe_title:contains(${member})`),
];

export const press = (name) =>
    click(`Press ${name}`, `.o_statusbar_buttons button[name=${name}]:not(:disabled)`);

export const isNow = (state) =>
    see(`It is now ${state}`, `.o_statusbar_status .o_arrow_button_current[data-value='${state}']`);

export const goBack = () => click("Back", ".o_back_button a");

export const selectAll = () =>
    click("Select everything", ".o_list_view:has(.o_data_row) thead .o_list_record_selector input");

export const runFlow = (label) => click(label, `.o_control_panel button:contains(${label})`);

/** A window that says what it will do, and ``said``: a name or a figure, for words change. */
export const confirmWizard = (said) =>
    click(
        `Told “${said}”, confirm`,
        `.modal:contains(${said}) footer button[name=action_confirm]:visible`,
    );

export const choose = (scope, field, name) => [
    fill(`Look for ${name}`, `${scope} .o_field_widget[name=${field}] input`, name),
    click(`Choose ${name}`, `.o-autocomplete--dropdown-item:contains(${name}) a`),
];

export const chooseReason = (scope, name) => choose(scope, "reason_id", name);

/**
 * Whom to enroll: what is known of the contact comes from the server and draws the window again,
 * which closes the list of a field that is typed into meanwhile.
 */
export const chooseContact = (name, item = name) => [
    fill(`Look for ${name}`, ".modal .o_field_widget[name=partner_id] input", name),
    click(`Choose ${item}`, `.o-autocomplete--dropdown-item:contains(${item}) a`),
    see("What is known of the contact has come", ".modal .o_field_widget[name=partner_lang]"),
];

/** The open renewal, by the window that asks why. */
export const refuse = (reason) => [
    press("action_refuse"),
    ...chooseReason(".modal", reason),
    click("Refuse", ".modal footer button[name=action_confirm]"),
    isNow("refused"),
];

export const openTab = (label) =>
    click(`Open the tab ${label}`, `.o_notebook .nav-link:contains(${label})`);

/** A cell of an editable list, then its input. */
export const fillCell = (field, text) => [
    click(`Edit ${field}`, `.o_field_widget[name=line_ids] .o_data_row:first td[name=${field}]`),
    fill(
        `Another ${field}`,
        `.o_field_widget[name=line_ids] .o_data_row:first td[name=${field}] input`,
        text,
    ),
];

export const isEmptyQueue = () =>
    see("Nothing waits there any more", ".o_list_view .o_view_nocontent, .o_nocontent_help");
