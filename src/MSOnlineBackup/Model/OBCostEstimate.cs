using System.Globalization;

namespace MSOnlineBackup;

/// <summary>What a vault costs in a month, about.</summary>
public sealed class OBCostEstimate
{
    /// <summary>All of it.</summary>
    public decimal Total { get; internal init; }

    /// <summary>Of all amounts.</summary>
    public string Currency { get; internal init; } = "";

    /// <summary>To keep for a whole month what is stored now.</summary>
    public decimal Storage { get; internal init; }

    /// <summary>What this machine's jobs have asked of it since the month began.</summary>
    public decimal Operations { get; internal init; }

    /// <summary>What they have fetched.</summary>
    public decimal Transfer { get; internal init; }

    /// <summary>What the estimate is based on, and what it leaves out.</summary>
    public string Basis { get; internal init; } = "";

    /// <summary>As in "1.25 USD a month".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Total:0.00} {Currency} a month");
}
