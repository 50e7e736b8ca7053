namespace MSOnlineBackup.Help.Pages;

/// <summary>The line that shows how a cmdlet is called. It follows from the parameters alone, so that the page's text can be checked.</summary>
internal static class SyntaxLine
{
    public static string Format(string command, IReadOnlyList<Parameter> parameters, ParameterSet set) =>
        string.Join(' ', [command, .. Order(parameters, set).Select(pair => Format(pair.Parameter.Name, pair.Use)), "[<CommonParameters>]"]);

    /// <summary>Those with a position by it, then the required, then the optional ones, each in the page's order.</summary>
    public static IEnumerable<(Parameter Parameter, ParameterUse Use)> Order(IReadOnlyList<Parameter> parameters, ParameterSet set) =>
        from parameter in parameters
        let use = parameter.In(set)
        where use is not null
        orderby use.Position ?? int.MaxValue, !use.IsRequired
        select (parameter, use);

    private static string Format(string name, ParameterUse use)
    {
        string text = use switch
        {
            { IsSwitch: true } => $"-{name}",
            { Position: not null } => $"[-{name}] <{use.Type}>",
            _ => $"-{name} <{use.Type}>",
        };
        return use.IsRequired ? text : $"[{text}]";
    }
}
