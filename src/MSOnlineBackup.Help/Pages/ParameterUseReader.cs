using System.Globalization;
using MSOnlineBackup.Help.Markdown;

namespace MSOnlineBackup.Help.Pages;

/// <summary>Reads the fenced block below a parameter. All keys are required but <c>Accepted values</c>.</summary>
internal sealed class ParameterUseReader
{
    private readonly MarkdownDocument _page;
    private readonly CodeBlock _block;
    private readonly Dictionary<string, (int Line, string Value)> _entries = new(StringComparer.Ordinal);

    private ParameterUseReader(MarkdownDocument page, CodeBlock block)
    {
        _page = page;
        _block = block;
        for (int i = 0; i < block.Lines.Count; i++)
        {
            int line = block.Line + 1 + i;
            if (block.Lines[i].Trim().Length == 0)
            {
                continue;
            }

            string[] pair = block.Lines[i].Split(':', 2);
            if (pair.Length != 2 || !_entries.TryAdd(pair[0].Trim(), (line, pair[1].Trim())))
            {
                throw page.Fault(line, "A line 'key: value' is expected, each key once.");
            }
        }
    }

    public static ParameterUse Read(MarkdownDocument page, CodeBlock block)
    {
        var reader = new ParameterUseReader(page, block);
        (bool byPropertyName, bool byValue) = reader.Choose("Accept pipeline input", new Dictionary<string, (bool, bool)>
        {
            ["False"] = (false, false),
            ["True (ByValue)"] = (false, true),
            ["True (ByPropertyName)"] = (true, false),
            ["True (ByPropertyName, ByValue)"] = (true, true),
        });
        var use = new ParameterUse
        {
            Line = block.Line,
            Type = reader.Take("Type").Value,
            Sets = reader.TakeList("Parameter Sets") is var sets and not ["(All)"] ? sets : [],
            Aliases = reader.TakeList("Aliases"),
            AcceptedValues = reader._entries.ContainsKey("Accepted values") ? reader.TakeList("Accepted values") : [],
            IsRequired = reader.TakeBoolean("Required"),
            Position = reader.TakePosition(),
            DefaultValue = reader.Take("Default value").Value,
            ByValue = byValue,
            ByPropertyName = byPropertyName,
            TakesWildcards = reader.TakeBoolean("Accept wildcard characters"),
        };
        foreach ((string key, (int line, _)) in reader._entries)
        {
            throw page.Fault(line, $"'{key}' is not known here.");
        }

        return use;
    }

    private (int Line, string Value) Take(string key) =>
        _entries.Remove(key, out (int Line, string Value) entry) ? entry : throw _page.Fault(_block.Line, $"The line '{key}: …' is missing.");

    private string[] TakeList(string key) => Take(key).Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private bool TakeBoolean(string key) => Choose(key, new Dictionary<string, bool> { ["True"] = true, ["False"] = false });

    private int? TakePosition()
    {
        (int line, string value) = Take("Position");
        return value == "Named" ? null
            : int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int position) ? position
            : throw _page.Fault(line, "A position is a number from 0, or 'Named'.");
    }

    private T Choose<T>(string key, Dictionary<string, T> choices)
    {
        (int line, string value) = Take(key);
        return choices.TryGetValue(value, out T? chosen) ? chosen : throw _page.Fault(line, $"'{key}' is one of: {string.Join("; ", choices.Keys)}.");
    }
}
