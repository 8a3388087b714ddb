// Checks of the add-on's JavaScript that prettier does not make; no plugin needed.
export default [
    {
        files: ["**/*.js", "**/*.mjs"],
        languageOptions: {
            ecmaVersion: 2022,
            sourceType: "module",
            globals: Object.fromEntries(
                [
                    "console",
                    "fetch",
                    "document",
                    "window",
                    "luxon",
                    "setTimeout",
                    "clearTimeout",
                    "URL",
                    "process",
                    "odoo",
                ].map((name) => [name, "readonly"]),
            ),
        },
        rules: {
            "constructor-super": "error",
            eqeqeq: "error",
            "no-const-assign": "error",
            "no-dupe-keys": "error",
            "no-fallthrough": "error",
            "no-restricted-globals": ["error", "event", "name"],
            "no-shadow": "error",
            "no-this-before-super": "error",
            "no-undef": "error",
            "no-unreachable": "error",
            "no-unused-vars": ["error", {args: "none"}],
            "no-useless-return": "error",
            "no-var": "error",
            "prefer-const": "error",
        },
    },
];
