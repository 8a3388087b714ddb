import {browser} from "@web/core/browser/browser";
import {registry} from "@web/core/registry";
import {choose, click, fill, goBack, openApp, openMenu, see} from "./desk_steps";

// From an empty company to a notice in one's own mailbox. It goes by names, and not by labels, so
// that it walks in every language.

const STARTED = "membri_first_run_started";

const row = (number, what) => `.o_list_view .o_data_row:nth-child(${number}) ${what}`;

const openSteps = () => [
    ...openMenu("configuration", "setup_step"),
    see("The first steps", row(7, ".o_data_cell")),
];

const openStep = (number) => click(`Open step ${number}`, row(number, ".o_data_cell[name=name]"));

const panel = (number) => `.o_membri_first_steps li:nth-child(${number}) button`;

const openStepOfPanel = (number) => [
    see("The first steps above the dashboards", panel(7)),
    click(`Open step ${number} of the panel`, panel(number)),
];

const isTicked = (number) =>
    see(`Step ${number} has ticked itself`, row(number, "[name=is_done] input:checked"));

const isOpen = (number) =>
    see(`Step ${number} is still to be done`, row(number, "[name=is_done] input:not(:checked)"));

const form = (what) => `.o_action_manager .o_form_view ${what}`;

/** The page is loaded anew, for a company and for settings. */
const saveAndReload = () => [
    {...click("Save", ".o_form_button_save"), expectUnloadPage: true},
    see("The page is there again", ".o_form_view .o_form_saved, .o_form_view #membri_officer"),
];

const describeOrganization = () => [
    fill("Street", form("div[name=street] input"), "1 Main Street"),
    fill("City", form("div[name=city] input"), "Montréal"),
    ...choose(".o_form_view", "country_id", "Canada"),
    fill("Email", form("div[name=email] input"), "office@first.example"),
    ...saveAndReload(),
    ...openSteps(),
    isOpen(1),
    openStep(1),
    ...choose("#membri_officer", "membri_officer_id", "Starter"),
    fill("Look for the time zone", "#membri_tz .o_select_menu input", "America/Toronto"),
    click("Time zone", ".o_select_menu_item:contains(America/Toronto)"),
    fill("Go-live date", "#membri_go_live .o_field_widget input", "2026-01-01"),
    ...saveAndReload(),
    ...openSteps(),
    isTicked(1),
    isTicked(4),
    openStep(2),
    click("Keep the proposed letterhead", ".modal footer button[name=document_layout_save]"),
    isTicked(2),
];

const makePlan = () => [
    openStep(3),
    fill("Name of the plan", ".modal div[name=name] input", "Regular Member"),
    click("No price yet", ".modal footer button[name=action_confirm]"),
    click("It is asked", ".o_error_dialog footer button"),
    fill("Price", ".modal div[name=price] input", "120"),
    click("Create the plan", ".modal footer button[name=action_confirm]"),
    see("The plan", form("div[name=line_ids] .o_data_row")),
];

const enrollMember = () => [
    ...openMenu("members", "member"),
    click("New member", ".o_list_button_add"),
    fill("Name", form("div[name=name] :is(input, textarea)"), "Ada First"),
    fill("Email of the member", form("div[name=email] input"), "ada@first.example"),
    click("The tab of the membership", ".o_notebook .nav-link[name=membership]"),
    click("Enroll", "button[name=action_membri_enrol]"),
    ...choose(".modal", "option_set_id", "Regular Member"),
    click("Confirm", ".modal footer button[name=action_confirm]"),
    see("Enrolled", "body:not(:has(.modal))"),
];

const sendTestNotice = () => [
    openStep(6),
    see("To oneself", ".modal div[name=email]:contains(starter@first.example)"),
    click("Send me a test notice", ".modal footer button[name=action_confirm]"),
    see("It was sent", ".o_notification:contains(starter@first.example)"),
    isTicked(6),
    isOpen(7),
];

/** With a clock around it, and not with more clicks than a newcomer bears. */
const timed = (name, maxClicks, walk) =>
    registry.category("web_tour.tours").add(name, {
        url: "/odoo",
        steps: () => {
            const steps = walk();
            const clicks = steps.filter((step) => step.run === "click").length;
            const texts = steps.filter((step) => `${step.run}`.startsWith("edit ")).length;
            return [
                {
                    content: "The clock starts",
                    trigger: "body",
                    run: () => browser.sessionStorage.setItem(STARTED, Date.now()),
                },
                ...steps,
                {
                    content: "The clock stops",
                    trigger: "body",
                    run: () => {
                        const seconds =
                            (Date.now() - browser.sessionStorage.getItem(STARTED)) / 1000;
                        console.log(
                            `First run: ${clicks} clicks, ${texts} fields, ${Math.round(seconds)} seconds`,
                        );
                        if (clicks > maxClicks) {
                            throw new Error(`${clicks} clicks; ${maxClicks} must do`);
                        }
                    },
                },
            ];
        },
    });

timed("membri_first_run", 35, () =>
    [
        openApp(),
        ...openSteps(),
        ...[1, 2, 3, 4, 5, 6, 7].map(isOpen),
        openStep(1),
        ...describeOrganization(),
        ...makePlan(),
        ...enrollMember(),
        ...openSteps(),
        isTicked(3),
        isTicked(5),
        isOpen(6),
        ...sendTestNotice(),
    ].flat(),
);

// Without a chart of accounts nothing can be invoiced; the notice can be looked at all the same.
timed("membri_first_run_without_accounts", 28, () =>
    [
        openApp(),
        ...openStepOfPanel(5),
        see("The words of an empty list", ".o_view_nocontent p.o_view_nocontent_smiling_face"),
        goBack(),
        ...openStepOfPanel(1),
        ...describeOrganization(),
        ...makePlan(),
        ...openSteps(),
        isOpen(3),
        isOpen(5),
        ...sendTestNotice(),
    ].flat(),
);
