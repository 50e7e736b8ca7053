using System.Globalization;

namespace MSOnlineBackup.Agent.Capacity;

/// <summary>Shares as people write them.</summary>
public static class CapacityShare
{
    /// <summary>Reads <c>10%</c>, <c>10 %</c> or <c>0.1</c>: each is a tenth. Whether so much can be is not asked here.</summary>
    public static bool TryParse(string text, out double share)
    {
        ArgumentNullException.ThrowIfNull(text);
        bool isPercent = text.EndsWith('%');
        bool isNumber = double.TryParse(
            isPercent ? text[..^1].TrimEnd() : text,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent,
            CultureInfo.InvariantCulture,
            out share);
        share = isPercent ? share / 100 : share;
        return isNumber && double.IsFinite(share);
    }
}
