import {registry} from "@web/core/registry";

/**
 * From a change that an invoice stands in the way of, to the renewal, with the question whether
 * to reset it: the unsaved change is left behind, for it is made there.
 */
async function askReset(env, {params}) {
    const {action, orm} = env.services;
    await action.doAction(
        {
            type: "ir.actions.act_window",
            res_model: "membri.renewal",
            res_id: params.renewal_id,
            views: [[false, "form"]],
        },
        {forceLeave: true},
    );
    const question = await orm.call("membri.renewal", "action_ask_reset", [[params.renewal_id]]);
    return action.doAction(question, {onClose: () => action.doAction("soft_reload")});
}

registry.category("actions").add("membri_ask_reset", askReset);
