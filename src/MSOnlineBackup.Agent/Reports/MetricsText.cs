using System.Globalization;
using System.Text;

namespace MSOnlineBackup.Agent.Reports;

/// <summary>Figures in the text format of Prometheus (version 0.0.4), each family with its help and its type, once.</summary>
internal sealed class MetricsText
{
    private readonly Dictionary<string, Family> _families = [];
    private readonly List<string> _order = [];

    /// <summary>Adds a figure that may go up and down.</summary>
    /// <param name="name">Its name, with its unit.</param>
    /// <param name="help">What it says.</param>
    /// <param name="value">Its value.</param>
    /// <param name="labels">What it is of; each combination comes once, the first time.</param>
    public void Gauge(string name, string help, double value, params (string Name, string Value)[] labels)
    {
        if (!_families.TryGetValue(name, out Family? family))
        {
            _families.Add(name, family = new Family(help, []));
            _order.Add(name);
        }

        string of = string.Join(',', labels.Select(label => $"{label.Name}=\"{Escape(label.Value).Replace("\"", "\\\"", StringComparison.Ordinal)}\""));
        family.Samples.TryAdd(of, value.ToString("R", CultureInfo.InvariantCulture));
    }

    /// <summary>The text, with line ends as Prometheus wants them.</summary>
    public byte[] Encode()
    {
        var text = new StringBuilder();
        foreach (string name in _order)
        {
            Family family = _families[name];
            text.Append("# HELP ").Append(name).Append(' ').Append(Escape(family.Help)).Append('\n');
            text.Append("# TYPE ").Append(name).Append(" gauge\n");
            foreach ((string labels, string value) in family.Samples)
            {
                text.Append(name).Append('{').Append(labels).Append("} ").Append(value).Append('\n');
            }
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static string Escape(string text) => text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private sealed record Family(string Help, Dictionary<string, string> Samples);
}
