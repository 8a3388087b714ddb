import {registry} from "@web/core/registry";
import {stepUtils} from "@web_tour/tour_utils";
import {choose, click, fill, openMenu, see} from "./desk_steps";

// From an empty company to a notice in one's own mailbox. It goes by names, and not by labels, so
// that it walks in every language.

const STARTED = "membri_first_run_started";

const openSteps = () => [
    ...openMenu("configuration", "setup_step"),
    see("The first steps", ".o_list_view .o_data_row:nth-child(7)"),
];

const openStep = (number) =>
    click(`Open step ${number}`, `.o_data_row:nth-child(${number}) .o_data_cell[name=name]`);

const isTicked = (number) =>
    see(
        `Step ${number} has ticked itself`,
        `.o_data_row:nth-child(${number}) [name=is_done] input:checked`,
    );

const isOpen = (number) =>
    see(
        `Step ${number} is still to be done`,
        `.o_data_row:nth-child(${number}) [name=is_done] input:not(:checked)`,
    );

const walk = () => [
    ...openSteps(),
    ...[1, 2, 3, 4, 5, 6, 7].map(isOpen),
    // organization
    openStep(1),
    fill("Street", ".o_form_view .o_field_widget[name=street] input", "1 Main Street"),
    fill("City", ".o_form_view .o_field_widget[name=city] input", "Montréal"),
    ...choose(".o_form_view", "country_id", "Canada"),
    fill("Email", ".o_form_view .o_field_widget[name=email] input", "office@first.example"),
    click("Save", ".o_form_button_save"),
    see("Saved", ".o_form_saved"),
    // officer and go-live date
    ...openMenu("configuration", "settings"),
    ...choose("#membri_officer", "membri_officer_id", "Starter"),
    fill(
        "Go-live date",
        "#membri_go_live .o_field_widget[name=membri_go_live] input",
        "01/01/2026",
    ),
    {
        ...click("Save the settings", ".o_control_panel .o_form_button_save, button[name=execute]"),
        expectUnloadPage: true,
    },
    see("The page is there again", ".o_form_view #membri_officer"),
    ...openSteps(),
    isTicked(1),
    isTicked(4),
    // letterhead
    openStep(2),
    click("Keep the proposed letterhead", ".modal footer button[name=document_layout_save]"),
    isTicked(2),
    // a plan from a model; its price is asked
    openStep(3),
    fill("Name of the plan", ".modal .o_field_widget[name=name] input", "Regular Member"),
    click("No price yet", ".modal footer button[name=action_confirm]"),
    click("It is asked", ".o_error_dialog footer .btn-primary, .modal:last footer .btn-primary"),
    fill("Price", ".modal .o_field_widget[name=price] input", "120"),
    click("Create the plan", ".modal footer button[name=action_confirm]"),
    see("The plan", ".o_form_view .o_field_widget[name=name] input"),
    // the first member
    ...openMenu("members", "member"),
    click("New member", ".o_list_button_add"),
    fill("Name of the member", ".o_form_view .o_field_widget[name=name] :is(input, textarea)", "Ada First"),
    fill("Email of the member", ".o_form_view .o_field_widget[name=email] input", "ada@first.example"),
    click("Save the member", ".o_form_button_save"),
    see("The member is saved", ".o_form_saved"),
    click("The tab of the membership", ".o_notebook .nav-link[name=membership]"),
    click("Enroll", "button[name=action_membri_enrol]"),
    ...choose(".modal", "option_set_id", "Regular Member"),
    click("Confirm", ".modal footer button[name=action_confirm]:visible"),
    see("Enrolled", "body:not(:has(.modal))"),
    // a notice to oneself
    ...openSteps(),
    isTicked(3),
    isTicked(5),
    isOpen(6),
    openStep(6),
    see("To oneself", ".modal .o_field_widget[name=email]:contains(starter@first.example)"),
    click("Send me a test notice", ".modal footer button[name=action_confirm]"),
    see("It was sent", ".o_notification:contains(starter@first.example)"),
    isTicked(6),
    isOpen(7),
];

registry.category("web_tour.tours").add("membri_first_run", {
    url: "/odoo",
    steps: () => {
        const steps = [
            ...stepUtils.goToAppSteps("membri_renewal.menu_membri_root", "Open the memberships"),
            ...walk(),
        ];
        const clicks = steps.filter((step) => step.run === "click").length;
        const texts = steps.filter((step) => `${step.run}`.startsWith("edit ")).length;
        return [
            {
                content: "The clock starts",
                trigger: "body",
                run: () => sessionStorage.setItem(STARTED, Date.now()),
            },
            ...steps,
            {
                content: "The clock stops",
                trigger: "body",
                run: () => {
                    const seconds = (Date.now() - Number(sessionStorage.getItem(STARTED))) / 1000;
                    // eslint-disable-next-line no-console
                    console.log(
                        `First run: ${clicks} clicks, ${texts} fields, ${Math.round(seconds)} seconds`,
                    );
                },
            },
        ];
    },
});
