namespace MSOnlineBackup;

/// <summary>Why a job, or a part of it, failed. It is there after success too, with an <see cref="ErrorCode"/> of 0.</summary>
public sealed class OBErrorInfo
{
    /// <summary>0 for success; else the original's number where it has one (34506), and otherwise the number of <see cref="ErrorId"/>.</summary>
    public int ErrorCode { get; internal init; }

    /// <summary>The number of <see cref="ErrorId"/>; 0 for success, -1 for an unexpected error.</summary>
    public int DetailedErrorCode { get; internal init; }

    /// <summary>What the error is about.</summary>
    public OBErrorParam[] ErrorParamList { get; internal init; } = [];

    /// <summary>The stable id that Get-OBErrorHelp explains; null for success.</summary>
    public string? ErrorId { get; internal init; }

    /// <summary>What was wrong; null for success.</summary>
    public string? Message { get; internal init; }

    /// <summary>What to do about it; null for success.</summary>
    public string? RecommendedAction { get; internal init; }

    /// <summary>The message, or nothing for success.</summary>
    public override string ToString() => Message ?? "";
}

/// <summary>A detail of an error.</summary>
public sealed class OBErrorParam
{
    internal OBErrorParam(string name, string value)
    {
        Name = name;
        Value = value;
    }

    /// <summary>What it is.</summary>
    public string Name { get; }

    /// <summary>Its value.</summary>
    public string Value { get; }

    /// <summary>As in "Target=/home".</summary>
    public override string ToString() => $"{Name}={Value}";
}
