using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace MSOnlineBackup.Engine.Tests.Reports;

/// <summary>A strict reader of the text format of Prometheus, version 0.0.4, written from its specification.</summary>
internal sealed partial class ExpositionFormat
{
    private readonly Dictionary<string, double> _samples = [];

    private ExpositionFormat()
    {
    }

    public IReadOnlyCollection<string> Names => [.. _samples.Keys.Select(key => key[..key.IndexOf('{', StringComparison.Ordinal)]).Distinct()];

    /// <summary>The value of a series, written as name{label="value",…} with labels in order.</summary>
    public double this[string series] => _samples[series];

    public bool Has(string series) => _samples.ContainsKey(series);

    public static ExpositionFormat Parse(byte[] content)
    {
        string text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content);
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var parsed = new ExpositionFormat();
        var closed = new HashSet<string>();
        string? family = null;
        string? help = null;
        foreach (string line in text[..^1].Split('\n'))
        {
            if (Help().Match(line) is { Success: true } described)
            {
                help = described.Groups["name"].Value;
                Assert.True(closed.Add(help), $"{help} comes twice.");
            }
            else if (TypeLine().Match(line) is { Success: true } typed)
            {
                family = typed.Groups["name"].Value;
                Assert.Equal(help, family);
            }
            else
            {
                Match sample = Sample().Match(line);
                Assert.True(sample.Success, $"Not a sample: {line}");
                Assert.Equal(family, sample.Groups["name"].Value);
                string labels = string.Join(',', LabelPair().Matches(sample.Groups["labels"].Value).Select(pair => pair.Value));
                Assert.Equal(sample.Groups["labels"].Value, labels);
                Assert.True(parsed._samples.TryAdd($"{family}{{{labels}}}", double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)), $"Twice: {line}");
            }
        }

        return parsed;
    }

    [GeneratedRegex(@"^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?:[^\\\n]|\\\\|\\n)+$")]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) gauge$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)\{(?<labels>(?:[^"]|"(?:[^"\\\n]|\\["\\n])*")*)\} (?<value>[-+0-9.E]+)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("""[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*" """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex LabelPair();
}
